#include "audit/control_state.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/log_begin.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"
#include "store/writer_lock.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace pawl {

namespace {

[[nodiscard]] segment_end_type end_type_of(const detail::index_header& index) noexcept {
    switch (static_cast<detail::system_type>(index.end_type)) {
        case detail::system_type::rolled:
            return segment_end_type::rolled;
        case detail::system_type::closed:
            return segment_end_type::closed;
        case detail::system_type::cut:
            return segment_end_type::cut;
        case detail::system_type::stream_name:
        case detail::system_type::description:
        case detail::system_type::clock_report:
            break;
    }
    return segment_end_type::none;
}

[[nodiscard]] result<segment_info> inspect_segment(const std::filesystem::path& directory,
                                                   const journal_id& id, std::uint64_t ordinal) {
    auto segment = detail::open_segment(directory, id, ordinal);
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    segment_info info{.ordinal = ordinal,
                      .epoch = segment->header.epoch,
                      .bytes = segment->header.segment_bytes,
                      .created_ns = segment->header.created_ns};
    const auto index = detail::read_index_header(directory, id, ordinal);
    if (index && detail::is_of_segment(*index, *segment)) {
        info.sealed = true;
        info.end = end_type_of(*index);
        info.first_sequence = index->first_sequence;
        info.end_sequence = index->end_sequence;
        info.min_timestamp_ns = index->min_timestamp_ns;
        info.max_timestamp_ns = index->max_timestamp_ns;
    }
    return info;
}

[[nodiscard]] result<void> inspect_log(const std::filesystem::path& directory,
                                       const detail::log_begin& begin,
                                       const inspect_options& options, journal_info& into) {
    into.first_sequence = begin.sequence();
    into.segments.clear();
    into.faults.clear();
    auto ordinals = detail::list_log(directory, begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    for (const std::uint64_t ordinal : *ordinals) {
        auto segment = inspect_segment(directory, into.id, ordinal);
        // Listed, but gone since: it was only prepared, and a close or a recovery removed it.
        if (!segment && segment.error().code == errc::missing_segment)
            continue;
        if (!segment && options.pass_over_faults) {
            into.faults.push_back(std::move(segment.error()));
            continue;
        }
        if (!segment)
            return std::unexpected(std::move(segment.error()));
        into.segments.push_back(*segment);
    }
    return {};
}

[[nodiscard]] result<journal_info> inspect_all(const std::filesystem::path& directory,
                                               const inspect_options& options) {
    auto journal = detail::read_identity(directory);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    journal_info info{.id = detail::id_of(*journal),
                      .origin = detail::identity_of(*journal).origin,
                      .format_version = journal->format_version,
                      .created_ns = journal->created_ns,
                      .segment_bytes = journal->segment_bytes,
                      .segments = {},
                      .owner = {},
                      .network_file_system = {},
                      .faults = {}};
    // Everything else can be reported even if this fails.
    if (const auto kind = detail::network_file_system_of(directory))
        info.network_file_system = *kind;
    auto listed =
        detail::read_beside_prunes(directory, info.id, [&](const detail::log_begin& begin) {
            return inspect_log(directory, begin, options, info);
        });
    if (!listed)
        return std::unexpected(std::move(listed.error()));
    if (const auto held = detail::writer_lock::is_held(directory))
        info.locked = *held;
    if (const auto control = detail::control_view::open(directory, info.id)) {
        info.state = detail::state_of(*control);
        info.owner = control->owner();
        info.heartbeat_ns = control->heartbeat_ns();
        info.durable = std::max(control->durable().value_or(0), control->stored_watermark());
        // The writer stores the two one after the other, but what is durable is also published.
        info.published = std::max(control->published(), info.durable);
    }
    return info;
}

}  // namespace

std::string_view to_string(segment_end_type end) noexcept {
    switch (end) {
        case segment_end_type::none:
            return "none";
        case segment_end_type::rolled:
            return "rolled";
        case segment_end_type::closed:
            return "closed";
        case segment_end_type::cut:
            return "cut";
    }
    return "";
}

std::string_view to_string(journal_state state) noexcept {
    switch (state) {
        case journal_state::unknown:
            return "unknown";
        case journal_state::open:
            return "open";
        case journal_state::closed:
            return "closed";
        case journal_state::poisoned:
            return "poisoned";
        case journal_state::disk_full:
            return "disk_full";
    }
    return "";
}

result<journal_info> inspect(const std::filesystem::path& directory,
                             const inspect_options& options) {
    try {
        return inspect_all(directory, options);
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

result<std::optional<sequence_number>> first_since(const std::filesystem::path& directory,
                                                   std::uint64_t ordinal, std::uint64_t since_ns) {
    return detail::guarded([&]() -> result<std::optional<sequence_number>> {
        const auto journal = detail::read_identity(directory);
        if (!journal)
            return std::unexpected(journal.error());
        const journal_id id = detail::id_of(*journal);
        const auto segment = detail::open_segment(directory, id, ordinal);
        if (!segment)
            return std::unexpected(segment.error());
        auto index = detail::index_file::open(directory, id, ordinal);
        if (!index || !detail::is_of_segment(index->header(), *segment))
            return std::nullopt;
        const auto mark = index->mark_before_time(since_ns);
        if (!mark || !*mark)
            return std::nullopt;
        return (*mark)->sequence;
    });
}

}  // namespace pawl
