#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/decision.hpp>

#include <algorithm>
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
    own_.clear();
    own_words_.clear();
    conditions_.clear();
    unless_.clear();
    failure_.reset();
}

void decision::add(const event_header& header, std::span<const std::byte> payload) {
    if (!header.conditions.empty()) {
        add_conditions(header.conditions);
        if (failure_)
            return;
    }
    if (!detail::guarded([&] { add_unless_full(header, payload); }))
        failure_ = error{.code = errc::out_of_memory};
}

void decision::require(stream_id stream, expect expected) {
    const stream_condition one{stream, expected};
    add_conditions({&one, 1});
}

void decision::add_conditions(std::span<const stream_condition> more) {
    if (failure_) [[unlikely]]
        return;
    if (more.size() > limits_.events - conditions_.size()) {
        failure_ = error{.code = errc::too_large,
                         .size = conditions_.size() + more.size(),
                         .limit = limits_.events,
                         .reason =
                             "the decision has more conditions than decision_limits allows "
                             "events; raise the limit, or decide in smaller steps"};
        return;
    }
    if (!detail::guarded([&] { conditions_.insert(conditions_.end(), more.begin(), more.end()); }))
        failure_ = error{.code = errc::out_of_memory};
}

std::size_t decision::copy(std::span<const std::byte> bytes) {
    const std::size_t at = words_.size();
    words_.resize(at + (bytes.size() + 7) / 8);
    if (!bytes.empty())
        std::memcpy(words_.data() + at, bytes.data(), bytes.size());
    return at;
}

void decision::add_unless_full(const event_header& header, std::span<const std::byte> payload) {
    std::size_t words = (payload.size() + 7) / 8;
    for (const metadata_entry& each : header.metadata)
        words += (each.value.size() + 7) / 8;
    words += header.tags.size();
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
                      "the decision's events hold more bytes than decision_limits allows; raise "
                      "the limit, or decide in smaller steps");
    const auto* words_before = words_.data();
    const auto* own_before = own_.data();
    const std::size_t own = own_.size();
    const std::size_t at = copy(payload);
    keep_metadata(header);
    const detail::kept_condition* unless = nullptr;
    if (header.unless != nullptr)
        unless =
            unless_.emplace_back(std::make_unique<detail::kept_condition>(*header.unless)).get();
    events_.push_back({header, at, payload.size(), own});
    event_header& kept = events_.back().header;
    kept.conditions = {};
    kept.tags = {};
    kept.unless = unless == nullptr ? nullptr : &unless->get();
    kept.metadata = std::span{own_}.subspan(own);
    if (!own_.empty() &&
        (!kept.metadata.empty() || words_.data() != words_before || own_.data() != own_before))
        find_metadata();
}

void decision::keep_metadata(const event_header& header) {
    const auto keep = [&](const metadata_entry& each) {
        own_words_.push_back(copy(each.value));
        own_.push_back(each);
    };
    // Pawl's own entries ascend. Whatever is wrong with them or the tags, the append says.
    bool tags_kept = header.tags.empty();
    const metadata_entry tags{metadata_tag::tags, std::as_bytes(header.tags.span())};
    for (const metadata_entry& each : header.metadata) {
        if (!tags_kept && each.tag > metadata_tag::tags) {
            keep(tags);
            tags_kept = true;
        }
        keep(each);
    }
    if (!tags_kept)
        keep(tags);
}

void decision::find_metadata() noexcept {
    const auto words = std::as_bytes(std::span{words_});
    for (std::size_t i = 0; i < own_.size(); ++i)
        own_[i].value = words.subspan(own_words_[i] * sizeof(std::uint64_t), own_[i].value.size());
    for (entry& each : events_)
        each.header.metadata = std::span{own_}.subspan(each.own, each.header.metadata.size());
}

// A single condition on the stream of a single event is the event's expected version: one probe of
// the table of streams in place of two.
bool decision::is_about_its_event(const event_header& only) const noexcept {
    return events_.size() == 1 && conditions_.size() == 1 && only.stream != no_stream_id &&
           conditions_[0].stream == only.stream && only.expected.asks_nothing();
}

event_header decision::with_origin(std::size_t index, std::span<const metadata_entry> origin) {
    event_header made = header(index);
    if (index == 0 && is_about_its_event(made)) {
        made.expected = conditions_[0].expected;
    } else if (index == 0) {
        // All are compared with the log before the batch, so the first event can carry them.
        made.conditions = conditions_;
    }
    if (made.metadata.empty() || origin.empty()) {
        made.metadata = made.metadata.empty() ? origin : made.metadata;
        return made;
    }
    merged_.assign(made.metadata.begin(), made.metadata.end());
    for (const metadata_entry& each : origin) {
        if (std::ranges::find(made.metadata, each.tag, &metadata_entry::tag) != made.metadata.end())
            continue;
        // Pawl's own tags must ascend; the application's may follow in any order.
        const auto place = std::ranges::find_if(
            merged_, [&](const metadata_entry& other) { return other.tag > each.tag; });
        merged_.insert(place, each);
    }
    made.metadata = merged_;
    return made;
}

result<receipt> decision::append_to(writer& log, std::span<const metadata_entry> origin) noexcept {
    if (failure_)
        return std::unexpected(error{.code = failure_->code});
    return detail::guarded([&] { return append_all(log, origin); });
}

result<receipt> decision::append_all(writer& log, std::span<const metadata_entry> origin) {
    if (events_.size() == 1) {
        auto placed = log.append(with_origin(0, origin), payload(0).bytes);
        if (placed)
            events_[0].placed = *placed;
        else if (placed.error().code == errc::conflict)
            placed.error().batch_event = 0;
        return placed;
    }
    std::size_t bytes = events_.size() * metadata_bytes(origin);
    for (const entry& each : events_)
        bytes += each.bytes + metadata_bytes(each.header.metadata);
    auto together = log.begin_batch(static_cast<std::uint32_t>(events_.size()), bytes);
    if (!together)
        return std::unexpected(std::move(together.error()));
    for (std::size_t i = 0; i < events_.size(); ++i) {
        auto added = together->append(with_origin(i, origin), payload(i).bytes);
        if (!added)
            return std::unexpected(std::move(added.error()));
        events_[i].placed = *added;
    }
    return together->commit();
}

}  // namespace pawl
