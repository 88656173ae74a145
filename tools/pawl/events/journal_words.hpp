// The words in which a journal speaks of its events: the names of its types and streams.
#pragma once

#include <pawl/codec/catalog.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pawl::cli {

class journal_words {
  public:
    // If a segment cannot be read, the words are those of all others.
    [[nodiscard]] static result<journal_words> read(const std::filesystem::path& directory);

    [[nodiscard]] const event_catalog& types() const noexcept { return types_; }
    // The stream's name as JSON, or its number if it has none. Names that are not UTF-8 are not
    // shown.
    void append_stream(std::string& to, stream_id stream) const;
    // The stream's name as JSON; empty if it has none that is shown.
    [[nodiscard]] std::string_view quoted_name_of(stream_id stream) const {
        const auto named = streams_.empty() ? streams_.end() : streams_.find(stream);
        return named == streams_.end() ? std::string_view{} : named->second;
    }
    void add(const recorded_name& name);

    // The type of this name, or with this number. Fails with not_found.
    [[nodiscard]] result<std::uint16_t> type_of(std::string_view text) const;

  private:
    [[nodiscard]] static result<journal_words> read_around_damage(
        const std::filesystem::path& directory);

    event_catalog types_;
    std::unordered_map<stream_id, std::string> streams_;  // in quotes
};

// The name of a type, one of Pawl's own among them; empty if it has none.
[[nodiscard]] std::string_view name_of_type(const event_catalog& types, std::uint16_t type);

}  // namespace pawl::cli
