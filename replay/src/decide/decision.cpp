#include <pawl/replay/decision.hpp>

#include <cstring>
#include <string>
#include <utility>

namespace pawl {

typed_payload decision::payload(std::size_t index) const noexcept {
    const entry& at = events_[index];
    const auto words = std::as_bytes(std::span{words_});
    return {at.header.type, at.header.schema_version,
            words.subspan(at.word * sizeof(std::uint64_t), at.bytes)};
}

void decision::clear() noexcept {
    events_.clear();
    words_.clear();
}

result<void> decision::add(const event_header& header, std::span<const std::byte> payload) {
    const std::size_t words = (payload.size() + 7) / 8;
    if (events_.size() == limits_.events)
        return fail(errc::too_large,
                    "a decision of more than " + std::to_string(limits_.events) + " events");
    if (words > limits_.bytes / 8 - words_.size())
        return fail(errc::too_large,
                    "a decision of more than " + std::to_string(limits_.bytes) + " bytes");
    const std::size_t at = words_.size();
    words_.resize(at + words);
    std::memcpy(words_.data() + at, payload.data(), payload.size());
    events_.push_back({header, at, payload.size()});
    return {};
}

result<receipt> decision::append_to(writer& log) const noexcept {
    if (events_.size() == 1)
        return log.append(header(0), payload(0).bytes);
    std::size_t bytes = 0;
    for (const entry& each : events_)
        bytes += each.bytes;
    auto together = log.begin_batch(static_cast<std::uint32_t>(events_.size()), bytes);
    if (!together)
        return std::unexpected(std::move(together.error()));
    for (std::size_t i = 0; i < events_.size(); ++i)
        if (auto added = together->append(header(i), payload(i).bytes); !added)
            return std::unexpected(std::move(added.error()));
    return together->commit();
}

}  // namespace pawl
