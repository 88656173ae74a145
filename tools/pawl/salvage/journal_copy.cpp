#include "salvage/journal_copy.hpp"

#include "append/append_together.hpp"

#include <fmt/format.h>

#include <pawl/journal/metadata.hpp>

#include <algorithm>

namespace pawl::cli {

namespace {

constexpr auto lost_type = static_cast<std::uint16_t>(reserved_type::lost);

}  // namespace

result<journal_copy> journal_copy::open(const std::filesystem::path& directory,
                                        const journal_info& of, bool allow_network_file_system) {
    auto log = writer::open(directory, {.segment_bytes = of.segment_bytes,
                                        .origin = of.origin,
                                        .clock = clock_source::caller,
                                        .command_window = 0,
                                        .scrub_bytes_per_second = 0,
                                        .allow_network_file_system = allow_network_file_system});
    if (!log)
        return std::unexpected(std::move(log.error()));
    journal_copy made{std::move(*log)};
    if (made.resume_at_ != 0) {
        auto earlier =
            cursor::open(directory, {.allow_network_file_system = allow_network_file_system});
        if (!earlier)
            return std::unexpected(std::move(earlier.error()));
        made.earlier_.emplace(std::move(*earlier));
    }
    return made;
}

error journal_copy::other_journal() const {
    return error{.code = errc::diverged,
                 .sequence = next_,
                 .file = log_.directory().string(),
                 .detail =
                     "the journal is there and holds something else; salvage into a "
                     "directory that does not exist"};
}

result<const event*> journal_copy::earlier() {
    if (next_ >= resume_at_)
        return nullptr;
    const event* there = earlier_->next();
    if (there == nullptr) {
        auto end = earlier_->finish();
        return std::unexpected(end ? other_journal() : std::move(end.error()));
    }
    return there;
}

result<void> journal_copy::take(const event& e) {
    if (e.stream() >= first_named_stream) {
        if (auto named = name_streams_up_to(e.stream() + 1); !named)
            return named;
    }
    last_ns_ = e.timestamp_ns();
    const auto there = earlier();
    if (!there)
        return std::unexpected(there.error());
    if (*there != nullptr) {
        const event& same = **there;
        const bool is_same =
            same.type() == e.type() && same.schema_version() == e.schema_version() &&
            same.stream() == e.stream() && same.timestamp_ns() == e.timestamp_ns() &&
            std::ranges::equal(same.payload(), e.payload()) &&
            std::ranges::equal(same.metadata().bytes(), e.metadata().bytes());
        if (!is_same)
            return std::unexpected(other_journal());
        note(e.version(), same.version());
        ++next_;
        return {};
    }
    pending_event& made = pending_.emplace_back();
    made.header = {.type = e.type(),
                   .schema_version = e.schema_version(),
                   .stream = e.stream(),
                   .timestamp_ns = e.timestamp_ns()};
    made.version = e.version();
    made.metadata.assign(e.metadata().bytes().begin(), e.metadata().bytes().end());
    made.payload.assign(e.payload().begin(), e.payload().end());
    ++next_;
    return e.more_in_batch() ? result<void>{} : write_pending();
}

result<void> journal_copy::take_lost() {
    const auto there = earlier();
    if (!there)
        return std::unexpected(there.error());
    if (*there != nullptr && ((*there)->type() != lost_type || !(*there)->payload().empty()))
        return std::unexpected(other_journal());
    if (*there == nullptr) {
        auto placed = log_.append({.type = lost_type, .timestamp_ns = last_ns_}, {});
        if (!placed)
            return std::unexpected(std::move(placed.error()));
    }
    ++next_;
    return {};
}

result<void> journal_copy::take(const recorded_name& name) {
    // One that has a number already is of another history.
    if (name.stream < first_named_stream + named_)
        return {};
    if (auto named = name_streams_up_to(name.stream); !named)
        return named;
    known_names_.insert_or_assign(name.stream, name);
    return name_streams_up_to(name.stream + 1);
}

// A writer gives numbers to names one after the other, so each lost name needs a placeholder.
result<void> journal_copy::name_streams_up_to(stream_id stream) {
    while (first_named_stream + named_ < stream) {
        const stream_id number = first_named_stream + named_;
        const auto known = known_names_.find(number);
        const bool is_known = known != known_names_.end();
        const std::string name =
            is_known ? known->second.name : fmt::format("lost-name-{}", named_);
        const auto given = log_.stream(name, is_known ? known->second.timestamp_ns : last_ns_);
        if (!given)
            return std::unexpected(given.error());
        if (*given != number)
            return std::unexpected(other_journal());
        names_lost_ += is_known ? 0 : 1;
        ++named_;
    }
    return {};
}

result<void> journal_copy::take(const recorded_description& description) {
    // Those that an earlier attempt has written are there, in their order.
    if (next_ < resume_at_)
        return {};
    const auto described = log_.describe(
        {description.type, description.schema_version, description.name, description.bytes},
        description.timestamp_ns);
    return described ? result<void>{} : std::unexpected(described.error());
}

result<void> journal_copy::write_pending() {
    for (pending_event& each : pending_) {
        metadata_view{each.metadata}.for_each(
            [&](const metadata_entry& entry) { each.entries.push_back(entry); });
        each.header.metadata = each.entries;
    }
    auto written =
        append_together(log_, pending_, [this](const pending_event& each, const receipt& placed) {
            note(each.version, placed.version);
        });
    if (!written)
        return written;
    pending_.clear();
    return {};
}

result<void> journal_copy::close() {
    if (next_ < resume_at_)
        return std::unexpected(other_journal());
    return log_.close();
}

}  // namespace pawl::cli
