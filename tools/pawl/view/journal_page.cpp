#include "view/journal_page.hpp"

#include "events/selection.hpp"
#include "terminal/output.hpp"
#include "view/density.hpp"
#include "view/event_pages.hpp"
#include "view/page_files.hpp"
#include "view/page_json.hpp"
#include "view/query_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace pawl::cli {

namespace {

std::string type_of_file(std::string_view name) {
    if (name.ends_with(".html"))
        return "text/html; charset=utf-8";
    if (name.ends_with(".css"))
        return "text/css; charset=utf-8";
    return "text/javascript; charset=utf-8";
}

// The filter that the words of a request mean, as those of `pawl dump` do.
result<event_filter> chosen(const log_map& map, const view_words& words, const selection& asked) {
    return words.with(
        [&](const journal_words& known) { return filter_of(map.directory(), asked, known); });
}

}  // namespace

result<std::unique_ptr<journal_page>> journal_page::open(const std::filesystem::path& directory,
                                                         bool allow_network_file_system) {
    auto journal = inspect(directory, {.pass_over_faults = true});
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    auto words = journal_words::read(directory);
    if (!words)
        return std::unexpected(std::move(words.error()));
    std::unique_ptr<journal_page> page{
        new journal_page{directory, allow_network_file_system, std::move(*words)}};
    page->map_.update(std::move(*journal));
    page->follower_ = std::make_unique<log_follower>(page->map_, page->words_);
    return page;
}

void journal_page::wait_for_map(std::chrono::milliseconds most) const {
    constexpr std::chrono::milliseconds step{2};
    for (auto left = most; left.count() > 0 && !follower_->caught_up(); left -= step)
        std::this_thread::sleep_for(step);
}

void journal_page::add_to(page_server& server) {
    for (const page_file& file : page_files())
        server.add(file.name == "index.html" ? std::string{} : std::string{file.name},
                   [file](const page_parameters&) -> result<page_answer> {
                       return page_answer{std::string{file.content}, type_of_file(file.name)};
                   });
    using member = result<page_answer> (journal_page::*)(const page_parameters&) const;
    const auto add = [&](const char* path, member answer) {
        server.add(path,
                   [this, answer](const page_parameters& asked) { return (this->*answer)(asked); });
    };
    add("api/live", &journal_page::live);
    add("api/segments", &journal_page::segments);
    add("api/density", &journal_page::density);
    add("api/events", &journal_page::events);
    add("api/event", &journal_page::one_event);
    add("api/sql", &journal_page::query);
    server.add("api/check", [this](const page_parameters& asked) { return check(asked); });
}

result<page_answer> journal_page::live(const page_parameters&) const {
    auto json = words_.with([&](const journal_words& known) { return live_json(map_, known); });
    const auto failure = follower_->failure();
    json["problem"] = failure ? error_json(*failure) : nlohmann::ordered_json(nullptr);
    json["caught_up"] = follower_->caught_up();
    return answer_of(json);
}

result<page_answer> journal_page::segments(const page_parameters&) const {
    return answer_of(segments_json(map_, check_.look()));
}

result<page_answer> journal_page::check(const page_parameters& asked) {
    check_.start();
    return segments(asked);
}

result<page_answer> journal_page::density(const page_parameters& asked) const {
    constexpr std::uint64_t most_buckets = 1000;
    constexpr std::uint64_t usual_buckets = 120;
    const log_extent extent = map_.extent();
    const auto from = asked.number("from");
    if (!from)
        return std::unexpected(from.error());
    const auto until = asked.number("until");
    if (!until)
        return std::unexpected(until.error());
    const auto buckets = asked.number("buckets", usual_buckets, 1, most_buckets);
    if (!buckets)
        return std::unexpected(buckets.error());
    const std::uint64_t from_ns = from->value_or(extent.min_ns);
    // A time that is not given ends after the last event, and is long enough for its buckets.
    const std::uint64_t until_ns = until->value_or(std::max(extent.max_ns + 1, from_ns + *buckets));
    const auto measured = measure_density(map_, from_ns, until_ns, *buckets);
    if (!measured)
        return std::unexpected(measured.error());
    return answer_of(
        words_.with([&](const journal_words& known) { return density_json(*measured, known); }));
}

// `from` or `before` a sequence, or `at` a time; `stream`, `tag` and `type` as in pawl dump.
result<page_answer> journal_page::events(const page_parameters& asked) const {
    constexpr std::uint64_t most_rows = 500;
    constexpr std::uint64_t usual_rows = 50;
    const auto limit = asked.number("limit", usual_rows, 1, most_rows);
    if (!limit)
        return std::unexpected(limit.error());
    const auto from = asked.number("from");
    if (!from)
        return std::unexpected(from.error());
    const auto before = asked.number("before");
    if (!before)
        return std::unexpected(before.error());
    const auto filter = chosen(map_, words_,
                               {.stream = asked.text("stream"),
                                .tag = asked.text("tag"),
                                .type = asked.text("type"),
                                .since = asked.text("at"),
                                .allow_network_file_system = map_.allows_network_file_system()});
    if (!filter)
        return std::unexpected(filter.error());
    const event_choice choice{.stream = filter->stream, .tag = filter->tag, .type = filter->type};
    std::optional<sequence_number> begin = *from;
    if (!asked.text("at").empty()) {
        const auto place = map_.at_time(filter->since_ns);
        if (!place)
            return std::unexpected(place.error());
        begin = place->sequence;
    }
    const log_extent extent = map_.extent();
    const auto page =
        begin ? page_from(map_, words_, choice, *begin, *limit)
              : page_before(map_, words_, choice, before->value_or(extent.next), *limit);
    if (!page)
        return std::unexpected(page.error());
    return answer_of(
        words_.with([&](const journal_words& known) { return page_json(*page, extent, known); }));
}

result<page_answer> journal_page::one_event(const page_parameters& asked) const {
    const auto sequence = asked.number("sequence");
    if (!sequence)
        return std::unexpected(sequence.error());
    if (!*sequence)
        return fail(errc::invalid_argument, "which event: sequence is missing");
    const auto place = map_.at_sequence(**sequence);
    if (!place)
        return std::unexpected(place.error());
    if (place->first == nullptr || place->sequence != **sequence)
        return fail(errc::not_found, fmt::format("no event has sequence {}: the journal ends at {}",
                                                 **sequence, map_.extent().next));
    return answer_of(words_.with(
        [&](const journal_words& known) { return event_json_of(*place->first, known); }));
}

result<page_answer> journal_page::query(const page_parameters& asked) const {
    auto answer =
        answer_query(map_.directory(), map_.allows_network_file_system(), asked.text("query"));
    if (!answer)
        return std::unexpected(std::move(answer.error()));
    return page_answer{.body = std::move(*answer)};
}

}  // namespace pawl::cli
