#include "commands/commands.hpp"
#include "events/batches.hpp"
#include "events/event_json.hpp"
#include "events/event_table.hpp"
#include "events/journal_words.hpp"
#include "events/last_events.hpp"
#include "events/parallel_lines.hpp"
#include "events/reversed.hpp"
#include "events/selection.hpp"
#include "terminal/event_line.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace pawl::cli {

namespace {

event_json_options line_options(const dump_options& options) {
    return {.exact = options.exact,
            .values = {.long_integers_as_strings = options.strings, .defaults = options.defaults}};
}

// Writes events in one of the forms. Each function returns false once standard output has failed.
class event_output {
  public:
    event_output(const dump_options& options, const journal_words& words,
                 std::optional<std::uint16_t> type)
        : options_{options},
          lines_{words, line_options(options)},
          batches_{options.directory, options.selected.allow_network_file_system} {
        if (options.format != row_format::json)
            table_.emplace(words, type, options.format);
    }

    bool put_records(const cursor& events) {
        for (const recorded_description& each : events.descriptions_before())
            event_json::append(text_, each);
        for (const recorded_name& each : events.names_before())
            event_json::append(text_, each);
        return true;
    }

    result<bool> put_event(const event& e) {
        if (table_)
            return table_->put(e);
        if (options_.raw) {
            fmt::memory_buffer line;
            append_json_line(line, e);
            return put({line.data(), line.size()});
        }
        if (open_batch_)
            if (auto settled = settle_batch(e); !settled)
                return std::unexpected(std::move(settled.error()));
        if (text_.size() >= piece && !flush())
            return false;
        lines_.append(text_, e);
        if (e.more_in_batch())
            open_batch_ = e.sequence();
        return true;
    }
    bool finish() {
        end_batch();
        return table_ ? table_->finish() : flush();
    }
    [[nodiscard]] std::uint64_t problems() const noexcept { return lines_.problems(); }

  private:
    static constexpr std::size_t piece = std::size_t{64} << 10;

    // What the options leave of a batch is a batch in the dump: the last line of it says so, and
    // is known when the next event comes.
    result<void> settle_batch(const event& e) {
        const auto together = batches_.are_together(*open_batch_, e.sequence());
        if (!together)
            return std::unexpected(together.error());
        if (!*together)
            end_batch();
        open_batch_.reset();
        return {};
    }
    void end_batch() {
        if (open_batch_)
            text_.replace(lines_.batch_flag(), std::string_view{"true"}.size(), "false");
        open_batch_.reset();
    }

    // Lines are written in large pieces.
    bool flush() {
        const bool whole = put(text_);
        text_.clear();
        return whole;
    }

    const dump_options& options_;
    event_json lines_;
    std::optional<event_table> table_;
    std::string text_;
    batches batches_;
    std::optional<sequence_number> open_batch_;  // the last line's, if more of its batch follows
};

// The events of a journal that the options select, each given to `visit`, which returns false to
// stop. Returns what the journal ends with, unless it was stopped.
template <class Visitor>
result<std::optional<end_of_journal>> for_each_event(const dump_options& options, event_scan& scan,
                                                     std::optional<where_filter>& where,
                                                     Visitor&& visit) {
    const std::optional<std::uint64_t> around = options.selected.around;
    const std::uint64_t limit = around ? options.selected.context : options.selected.limit;
    for (std::uint64_t count = 0; around || count < limit;) {
        const event* e = scan.next();
        if (e == nullptr) {
            const auto end = scan.finish();
            if (!end)
                return std::unexpected(end.error());
            return *end;
        }
        if (where) {
            const auto selected = where->selects(e->sequence());
            if (!selected)
                return std::unexpected(selected.error());
            if (!*selected)
                continue;
        }
        // Of those around a sequence, the ones after it count.
        if (!around || e->sequence() > *around) {
            if (count == limit)
                return std::nullopt;
            ++count;
        }
        const auto more = visit(*e);
        if (!more)
            return std::unexpected(more.error());
        if (!*more || interrupted())
            return std::nullopt;
    }
    return std::nullopt;
}

// With --last or --around, begins where those events do.
result<void> begin_late(const dump_options& options, const journal_words& words,
                        event_filter& filter) {
    const selection& asked = options.selected;
    if (!asked.last && !asked.around)
        return {};
    auto before = end_of_log(options.directory, asked);
    if (!before)
        return std::unexpected(std::move(before.error()));
    if (asked.around && *asked.around >= *before)
        return fail(errc::not_found, fmt::format("no event has sequence {}: the journal ends at {}",
                                                 *asked.around, *before));
    if (asked.around) {
        // Whether it is still there.
        const auto there = event_scan::open(
            options.directory,
            {.from = asked.around, .allow_network_file_system = asked.allow_network_file_system});
        if (!there)
            return std::unexpected(there.error());
    }
    const auto begin =
        asked.last
            ? begin_of_last(options.directory, asked, filter, words, *before, *asked.last)
            : begin_of_last(options.directory, asked, filter, words, *asked.around, asked.context);
    if (!begin)
        return std::unexpected(begin.error());
    filter.from = *begin;
    if (asked.last)
        filter.before = *before;
    return {};
}

// Whether the dump is one line of JSON for each event from some sequence on, which does not depend
// on other events.
bool takes_every_event(const dump_options& options) {
    const selection& asked = options.selected;
    return !asked.reverse && !asked.has_condition() && !asked.last && !asked.around &&
           asked.limit == std::numeric_limits<std::uint64_t>::max() &&
           options.format == row_format::json && !options.raw && !options.exact;
}

// The sequence at one end of what the options show; nothing if it cannot be read, which the dump
// itself reports.
std::optional<sequence_number> sequence_at(const dump_options& options, start from) {
    const auto events = cursor::open(
        options.directory,
        {.from = from,
         .show = options.selected.durable ? visibility::durable : visibility::published,
         .allow_network_file_system = options.selected.allow_network_file_system});
    return events ? std::optional{events->next_sequence()} : std::nullopt;
}

// Writes the events before `end` on all cores, if they are many; the filter then begins after them.
// Returns the payloads that did not fit their schemas, and nothing if standard output has failed or
// a signal arrived.
result<std::optional<std::uint64_t>> write_in_parallel(const dump_options& options,
                                                       const journal_words& words,
                                                       sequence_number end, event_filter& filter) {
    const auto first = filter.from ? filter.from : sequence_at(options, from_first{});
    if (!first || !parallel_lines::pays(*first, end))
        return 0;
    parallel_lines lines{options.directory, filter, words, line_options(options)};
    bool stopped = false;
    const auto next = lines.print(*first, end, [&](std::string_view text) {
        stopped = !put(text) || interrupted();
        return !stopped;
    });
    if (!next)
        return std::unexpected(next.error());
    filter.from = *next;
    return stopped ? std::nullopt : std::optional{lines.problems()};
}

// Returns the payloads that did not fit their schemas. more_in_batch is as in the log.
result<std::uint64_t> write_newest_first(const dump_options& options, const journal_words& words,
                                         event_filter filter) {
    event_json lines{words, line_options(options)};
    const auto append = [&](std::string& to, const event& e) {
        if (!options.raw)
            return lines.append(to, e);
        fmt::memory_buffer line;
        append_json_line(line, e);
        to.append(line.data(), line.size());
    };
    auto done = write_reversed(
        {.directory = options.directory,
         .asked = options.selected,
         .filter = filter,
         .words = words,
         .limit = std::min(options.selected.limit, options.selected.last.value_or(
                                                       std::numeric_limits<std::uint64_t>::max())),
         .append = append,
         .put = [](std::string_view text) { return put(text); }});
    if (!done)
        return std::unexpected(std::move(done.error()));
    return lines.problems();
}

// The events before `settled` may be written on several cores: `words` has the names of their
// streams.
result<std::uint64_t> write_events(const dump_options& options, journal_words& words,
                                   sequence_number settled) {
    auto filter = filter_of(options.directory, options.selected, words);
    if (!filter)
        return std::unexpected(std::move(filter.error()));
    catch_interrupts();
    if (options.selected.reverse)
        return write_newest_first(options, words, *filter);
    if (auto late = begin_late(options, words, *filter); !late)
        return std::unexpected(std::move(late.error()));
    const auto written = write_in_parallel(options, words, settled, *filter);
    if (!written)
        return std::unexpected(written.error());
    if (!*written)
        return 0;
    const bool whole = !filter->stream && filter->tag == 0 && options.selected.since.empty() &&
                       options.selected.until.empty() && !options.raw;
    filter->names = whole && options.format == row_format::json;
    std::optional<where_filter> where;
    if (!options.selected.where.empty()) {
        auto opened = where_filter::open(options.directory, options.selected, *filter, words);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        where.emplace(std::move(*opened));
    }
    auto scan = event_scan::open(options.directory, *filter);
    if (!scan)
        return std::unexpected(std::move(scan.error()));
    event_output out{options, words, filter->type};
    const auto end = for_each_event(options, *scan, where, [&](const event& e) -> result<bool> {
        for (const recorded_name& name : scan->events().names_before())
            words.add(name);
        if (options.exact && !out.put_records(scan->events()))
            return false;
        return out.put_event(e);
    });
    if (!end) {
        (void)out.finish();
        return std::unexpected(end.error());
    }
    if (options.exact && *end)
        (void)out.put_records(scan->events());
    (void)out.finish();
    if (*end == end_of_journal::torn)
        complain(
            fmt::format("notice: the journal ends in a torn tail at sequence {}, as a crash "
                        "leaves it; what is shown is what recovery keeps",
                        scan->events().next_sequence()));
    return **written + out.problems();
}

}  // namespace

exit_code dump(const dump_options& options) {
    // Before the words are read: a stream has its name before its first event.
    const auto settled =
        takes_every_event(options) ? sequence_at(options, from_end{}) : std::nullopt;
    auto words = journal_words::read(options.directory);
    if (!words)
        return complain(words.error());
    for (const error& why : words->types().rejected())
        complain(fmt::format("notice: {}", why.message()));
    const auto problems = write_events(options, *words, settled.value_or(0));
    if (!problems)
        return complain(problems.error());
    exit_code code = success;
    if (*problems != 0) {
        complain(
            fmt::format("{} payloads do not fit the schemas that the journal describes; the "
                        "lines with `problem` hold them in hexadecimal",
                        *problems));
        code = failure;
    }
    code = finish_output(code);
    die_of_interrupt();
    return code;
}

}  // namespace pawl::cli
