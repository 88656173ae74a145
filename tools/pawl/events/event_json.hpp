// Events as lines of JSON, which `append` takes back.
#pragma once

#include "events/journal_words.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <string>

namespace pawl::cli {

struct event_json_options {
    bool exact = false;  // stream numbers, and payloads as base64
    json_options values{};
};

class event_json {
  public:
    // `words` must outlive it.
    explicit event_json(const journal_words& words, const event_json_options& options = {})
        : words_{&words}, options_{options} {}

    // Appends an object and a newline. If the payload does not fit its schema, the object holds it
    // in hexadecimal, with the reason as `problem`.
    void append(std::string& to, const event& e);
    // The lines of an exact dump for what the log records between events.
    static void append(std::string& to, const recorded_name& name);
    static void append(std::string& to, const recorded_description& description);

    // The payloads that did not fit their schemas.
    [[nodiscard]] std::uint64_t problems() const noexcept { return problems_; }

  private:
    void append_header(std::string& to, const event& e);
    void append_payload(std::string& to, const event& e);
    void append_event_time(std::string& to, std::uint64_t timestamp_ns);

    const journal_words* words_;
    std::uint64_t second_ = no_value;  // of the last event
    std::string second_text_;          // "2026-11-23T14:02:00."
    event_json_options options_;
    std::uint64_t problems_ = 0;
};

}  // namespace pawl::cli
