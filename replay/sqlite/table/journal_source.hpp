// The journal of one virtual table: its event types, the names of its streams, and the columns.
#pragma once

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/field_reader.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/sqlite/journal_tables.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::detail {

// The columns that come first; `events` has all of them, the table of a type those before `type`
// and `metadata`, which is hidden there.
enum class header_column : std::uint8_t {
    sequence,
    time,
    timestamp_ns,
    stream,
    version,
    type,
    schema_version,
    more_in_batch,
    metadata,
    bytes,
    event,
    payload,
};
inline constexpr std::size_t type_header_columns = 5;  // without `metadata`, which follows

enum class streams_found : std::uint8_t { none, one, several };

class journal_source {
  public:
    // An empty type means all: the table `events`. `types` are the journal's.
    [[nodiscard]] static result<journal_source> open(const std::filesystem::path& directory,
                                                     std::shared_ptr<const event_catalog> types,
                                                     std::string_view type,
                                                     const attach_options& options);

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
    [[nodiscard]] const event_catalog& types() const noexcept { return *types_; }
    [[nodiscard]] std::optional<std::uint16_t> type() const noexcept { return type_; }
    [[nodiscard]] const attach_options& options() const noexcept { return options_; }
    // For sqlite3_declare_vtab.
    [[nodiscard]] std::string declaration() const;

    // The reader of one of the type's schema versions, and the position of each of the table's
    // fields in it; null if the version is not known.
    struct shape {
        std::uint16_t schema_version;
        field_reader reader;
        std::vector<std::optional<std::size_t>> positions;
    };
    [[nodiscard]] const shape* shape_of(std::uint16_t schema_version) const noexcept;

    // The text of the column `stream`; valid until the next call.
    [[nodiscard]] std::string_view stream_text(stream_id stream);
    // How many streams may have this text, and which it is if there is one.
    [[nodiscard]] std::pair<streams_found, stream_id> streams_with(std::string_view text) const;
    // Reads the names of the streams again.
    [[nodiscard]] result<void> refresh_names();

  private:
    struct column {
        std::string name;   // in SQL
        std::string field;  // in the schema
        field_kind kind;
        bool hidden = false;  // an earlier name: `select *` leaves it out
    };
    void add_columns(const described_event& of);
    void add_earlier_names();
    void find_positions();
    [[nodiscard]] bool takes(std::string_view name) const;

    std::filesystem::path directory_;
    attach_options options_;
    std::shared_ptr<const event_catalog> types_;
    std::optional<std::uint16_t> type_;
    std::vector<column> columns_;
    std::vector<shape> shapes_;
    std::map<stream_id, std::string> names_;
    std::map<std::string, stream_id, std::less<>> numbers_;
    std::string text_;
};

}  // namespace pawl::detail
