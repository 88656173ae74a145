// Events as rows: of one type with its fields as columns, of all with the event as JSON.
#pragma once

#include "events/journal_words.hpp"
#include "terminal/rows.hpp"

#include <pawl/codec/field_reader.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

class event_table {
  public:
    // `words` must outlive it.
    event_table(const journal_words& words, std::optional<std::uint16_t> type, row_format format);

    // Returns false once standard output has failed. Fails if the payload does not fit its schema.
    [[nodiscard]] result<bool> put(const event& e);
    bool finish() { return rows_.finish(); }

  private:
    [[nodiscard]] result<void> add_fields(const event& e);
    [[nodiscard]] result<void> add_event(const event& e);

    const journal_words& words_;
    bool has_fields_;
    std::vector<std::string> fields_;
    row_writer rows_;
    std::vector<cell> cells_;
    std::vector<std::string> texts_;  // what the cells refer to
};

}  // namespace pawl::cli
