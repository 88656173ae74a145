// The parts of a journal as JSON for the page.
#pragma once

#include "events/journal_words.hpp"
#include "view/density.hpp"
#include "view/event_pages.hpp"
#include "view/log_map.hpp"
#include "view/page_server.hpp"
#include "view/segment_check.hpp"

#include <nlohmann/json.hpp>

#include <pawl/journal/event.hpp>

#include <cstdint>
#include <filesystem>

namespace pawl::cli {

// A number that JavaScript would round.
[[nodiscard]] nlohmann::ordered_json text_of(std::uint64_t number);
[[nodiscard]] page_answer answer_of(const nlohmann::ordered_json& json);

// The state, the watermarks, what the writer says of itself, and the consumers.
[[nodiscard]] nlohmann::ordered_json live_json(const log_map& map, const journal_words& words);
[[nodiscard]] nlohmann::ordered_json segments_json(const log_map& map,
                                                   const segment_check::progress& checked);
[[nodiscard]] nlohmann::ordered_json density_json(const density& of, const journal_words& words);
[[nodiscard]] nlohmann::ordered_json page_json(const event_page& page, const log_extent& extent,
                                               const journal_words& words);
// All of an event: its JSON, its frame and the frame's fields.
[[nodiscard]] nlohmann::ordered_json event_json_of(const event& e, const journal_words& words);

}  // namespace pawl::cli
