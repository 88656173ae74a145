#include "view/event_pages.hpp"

#include "events/base64.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <utility>

namespace pawl::cli {

namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds most_time{60};
constexpr std::size_t most_text_bytes = 400;
constexpr std::size_t most_hex_bytes = 48;

bool is_chosen(const event_choice& choice, const event& e) {
    return (!choice.type || e.type() == *choice.type) &&
           (!choice.stream || e.stream() == *choice.stream) &&
           (choice.tag == 0 || e.metadata().tags().contains(choice.tag));
}

// Not in the middle of a character of UTF-8.
void shorten(std::string& text) {
    if (text.size() <= most_text_bytes)
        return;
    std::size_t end = most_text_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    text.resize(end);
    text += "…";
}

event_row row_of(const event& e, const journal_words& words) {
    event_row row{.sequence = e.sequence(),
                  .timestamp_ns = e.timestamp_ns(),
                  .stream = e.stream(),
                  .version = e.version(),
                  .type = e.type(),
                  .schema_version = e.schema_version(),
                  .payload_bytes = e.payload().size(),
                  .more_in_batch = e.more_in_batch()};
    const described_event* known = words.types().find(e.type(), e.schema_version());
    if (known != nullptr && json_printer{known->shape}.print(e.payload(), row.text)) {
        shorten(row.text);
        return row;
    }
    append_hex(row.text, e.payload().first(std::min(e.payload().size(), most_hex_bytes)));
    if (e.payload().size() > most_hex_bytes)
        row.text += "…";
    return row;
}

// Through the frames' links and the indexes, or from the nearest place that the map knows.
result<log_place> begin_at(const log_map& map, const event_choice& choice, sequence_number from) {
    const bool of_stream = choice.stream && *choice.stream != no_stream_id;
    if (!of_stream && choice.tag == 0)
        return map.at_sequence(from);
    cursor_options how{.from = from_sequence{from},
                       .allow_network_file_system = map.allows_network_file_system()};
    if (of_stream)
        how.stream = *choice.stream;
    else
        how.tag = choice.tag;
    auto events = cursor::open(map.directory(), how);
    if (!events)
        return std::unexpected(std::move(events.error()));
    log_place place{.events = std::move(*events)};
    place.first = place.events.next();
    place.sequence = from;
    return place;
}

// Gives the chosen events of [page.from, before) to `visit` until it returns false or the time is
// over; page.before is then how far it came.
void look_through(log_place place, const event_choice& choice, sequence_number before,
                  clock::time_point deadline, event_page& page, auto&& visit) {
    constexpr std::uint64_t look_each = 1024;
    std::uint64_t seen = 0;
    const event* e = place.first;
    for (; e != nullptr && e->sequence() < before; e = place.events.next()) {
        page.before = e->sequence() + 1;
        if (is_chosen(choice, *e) && !visit(*e))
            return;
        if (++seen % look_each == 0 && clock::now() > deadline) {
            page.filled = false;
            return;
        }
    }
    if (e != nullptr) {
        page.before = before;
        return;
    }
    if (auto end = place.events.finish(); !end)
        page.problem = std::move(end.error());
    else
        page.before = std::max(page.before, std::min(before, place.events.next_sequence()));
}

}  // namespace

result<event_page> page_from(const log_map& map, const view_words& words,
                             const event_choice& choice, sequence_number from,
                             std::uint64_t limit) {
    const log_extent extent = map.extent();
    from = std::clamp(from, extent.first, extent.next);
    event_page page{.from = from, .before = from};
    if (from == extent.next)
        return page;
    auto place = begin_at(map, choice, from);
    if (!place)
        return std::unexpected(std::move(place.error()));
    look_through(std::move(*place), choice, extent.next, clock::now() + most_time, page,
                 [&](const event& e) {
                     page.rows.push_back(
                         words.with([&](const journal_words& known) { return row_of(e, known); }));
                     return page.rows.size() < limit;
                 });
    return page;
}

// In pieces that grow, from the last one backwards: each is read forwards.
result<event_page> page_before(const log_map& map, const view_words& words,
                               const event_choice& choice, sequence_number before,
                               std::uint64_t limit) {
    constexpr std::uint64_t growth = 4;
    constexpr std::uint64_t most_events = 262'144;
    const auto deadline = clock::now() + most_time;
    const bool all = !choice.stream && choice.tag == 0 && !choice.type;
    const log_extent extent = map.extent();
    before = std::clamp(before, extent.first, extent.next);
    event_page page{.from = before, .before = before};
    std::uint64_t events = all ? limit : std::max<std::uint64_t>(limit, 4096);
    while (page.from > extent.first && page.rows.size() < limit) {
        if (clock::now() > deadline) {
            page.filled = false;
            break;
        }
        const sequence_number from = page.from - std::min(page.from - extent.first, events);
        auto place = begin_at(map, choice, from);
        if (!place) {
            // What was found after it can be shown.
            if (page.rows.empty())
                return std::unexpected(std::move(place.error()));
            page.problem = std::move(place.error());
            break;
        }
        const std::uint64_t missing = limit - page.rows.size();
        std::deque<event_row> found;
        event_page piece{.from = from, .before = from};
        look_through(std::move(*place), choice, page.from, clock::time_point::max(), piece,
                     [&](const event& e) {
                         found.push_back(words.with(
                             [&](const journal_words& known) { return row_of(e, known); }));
                         if (found.size() > missing)
                             found.pop_front();
                         return true;
                     });
        page.rows.insert(page.rows.begin(), std::make_move_iterator(found.begin()),
                         std::make_move_iterator(found.end()));
        page.from = page.rows.size() == limit ? page.rows.front().sequence : from;
        if (piece.problem) {
            page.problem = std::move(piece.problem);
            break;
        }
        events = std::min(events * growth, most_events);
    }
    return page;
}

}  // namespace pawl::cli
