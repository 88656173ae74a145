#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/decision.hpp>

#include <cstring>
#include <string_view>
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
    failure_.reset();
}

void decision::add(const event_header& header, std::span<const std::byte> payload) {
    if (!detail::guarded([&] { add_unless_full(header, payload); }))
        failure_ = error{.code = errc::out_of_memory};
}

void decision::add_unless_full(const event_header& header, std::span<const std::byte> payload) {
    const std::size_t words = (payload.size() + 7) / 8;
    const auto exceed = [&](std::uint64_t size, std::uint64_t limit, std::string_view why) {
        failure_ = error{.code = errc::too_large, .size = size, .limit = limit, .reason = why};
    };
    if (events_.size() == limits_.events)
        return exceed(
            events_.size() + 1, limits_.events,
            "the decision holds more events than decision_limits allows; raise the limit, "
            "or decide in smaller steps");
    if (words > limits_.bytes / 8 - words_.size())
        return exceed((words_.size() + words) * 8, limits_.bytes,
                      "the decision's payloads hold more bytes than decision_limits allows; raise "
                      "the limit, or decide in smaller steps");
    const std::size_t at = words_.size();
    words_.resize(at + words);
    std::memcpy(words_.data() + at, payload.data(), payload.size());
    events_.push_back({header, at, payload.size()});
}

result<receipt> decision::append_to(writer& log) noexcept {
    if (failure_)
        return std::unexpected(error{.code = failure_->code});
    if (events_.size() == 1) {
        auto placed = log.append(header(0), payload(0).bytes);
        if (placed)
            events_[0].placed = *placed;
        else if (placed.error().code == errc::conflict)
            placed.error().batch_event = 0;
        return placed;
    }
    std::size_t bytes = 0;
    for (const entry& each : events_)
        bytes += each.bytes;
    auto together = log.begin_batch(static_cast<std::uint32_t>(events_.size()), bytes);
    if (!together)
        return std::unexpected(std::move(together.error()));
    for (std::size_t i = 0; i < events_.size(); ++i) {
        auto added = together->append(header(i), payload(i).bytes);
        if (!added)
            return std::unexpected(std::move(added.error()));
        events_[i].placed = *added;
    }
    return together->commit();
}

}  // namespace pawl
