// Where `append` finds the shapes of events: a schema file, or a journal that describes them.
#pragma once

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

// The binary schema of a file: NAME.fbs is compiled, with its includes, and NAME.bfbs is read.
// Fails with invalid_argument, with the compiler's message, or io.
[[nodiscard]] result<std::vector<std::byte>> read_schema_file(const std::filesystem::path& path);

// The shapes of one event type, oldest first.
struct type_shapes {
    struct shape {
        std::uint16_t schema_version = 0;
        std::string table{};
        std::span<const std::byte> bfbs{};  // in the source
    };
    std::vector<shape> shapes{};
    std::optional<std::uint16_t> type{};  // its number, if the source knows it

    // For register_shapes(); refers to this.
    [[nodiscard]] std::vector<detail::event_shape> numbered(std::uint16_t as) const;
};

class schema_source {
  public:
    // A directory is a journal, anything else a schema file.
    [[nodiscard]] static result<schema_source> open(const std::filesystem::path& path);

    // By the name of a table, with or without its namespace; in a journal also by number. Fails
    // with not_found or invalid_argument.
    //
    // In a schema file the namespaces v1, v2, ... hold a table's old shapes, so its own version is
    // one more than there are of them.
    [[nodiscard]] result<type_shapes> find(std::string_view name) const;

  private:
    [[nodiscard]] result<type_shapes> find_in_file(std::string_view name) const;
    [[nodiscard]] result<type_shapes> find_in_journal(std::string_view name) const;

    std::string path_;
    std::vector<std::byte> bfbs_;
    std::vector<std::string> tables_;
    std::optional<event_catalog> types_;
};

}  // namespace pawl::cli
