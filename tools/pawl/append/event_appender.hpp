// Appends the lines of `append` to a journal, batch by batch.
#pragma once

#include "append/append_line.hpp"
#include "append/schema_source.hpp"

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::cli {

struct append_rules {
    std::optional<schema_source> schemas{};
    std::string type{};  // of every line, which is then the event itself
    std::optional<std::uint16_t> type_number{};
    std::string stream{};        // for every line: a number or a name
    std::string stream_field{};  // the field of each event that names its stream
    std::uint64_t batch = 0;     // so many lines are one batch; 0: as the lines say
    std::optional<stream_version> expect{};
};

class event_appender {
  public:
    event_appender(writer log, append_rules rules)
        : log_{std::move(log)}, rules_{std::move(rules)} {}

    // Fails with the reason; nothing of the batch to which the line belongs is written then.
    [[nodiscard]] result<void> take(std::string_view line);
    // Writes the last batch, makes everything durable and closes the journal.
    [[nodiscard]] result<void> finish();
    // Closes the journal without the batch that is open.
    [[nodiscard]] result<void> abandon();

    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
    [[nodiscard]] sequence_number next_sequence() const noexcept { return log_.next_sequence(); }

  private:
    // One type at one version, as the events of this run are parsed.
    struct known_type {
        std::uint16_t number;
        std::uint16_t schema_version;
        std::unique_ptr<schema> shape;
        std::unique_ptr<json_parser> parse;
    };
    using type_key = std::pair<std::string, std::uint16_t>;  // version 0: the newest

    struct pending_event {
        event_header header{};
        std::vector<std::byte> payload{};
        std::vector<event_line::entry> metadata{};
        std::vector<metadata_entry> entries{};
    };

    [[nodiscard]] result<void> take(const name_line& line);
    [[nodiscard]] result<void> take(const description_line& line);
    [[nodiscard]] result<void> take(event_line line);
    [[nodiscard]] result<known_type*> type_of(const event_line& line);
    [[nodiscard]] result<known_type> learn(const event_line& line);
    [[nodiscard]] result<void> add_earlier_names(schema& to, std::uint16_t type,
                                                 std::uint16_t schema_version) const;
    [[nodiscard]] result<std::uint16_t> number_for(const event_line& line,
                                                   const type_shapes& found) const;
    [[nodiscard]] result<stream_id> stream_of(const event_line& line, const known_type* type,
                                              std::uint64_t timestamp_ns);
    [[nodiscard]] result<stream_id> field_stream(const known_type& type,
                                                 std::span<const std::byte> payload,
                                                 std::uint64_t timestamp_ns);
    [[nodiscard]] result<stream_id> stream_named(const std::string& name,
                                                 std::uint64_t timestamp_ns);
    [[nodiscard]] result<void> number_tags(event_line::entry& entry, std::uint64_t timestamp_ns);
    [[nodiscard]] result<void> write_pending();

    writer log_;
    append_rules rules_;
    std::map<type_key, known_type> types_;
    std::map<std::string, stream_id, std::less<>> streams_;
    // Registering and naming streams must not come into an open batch, so a batch is only written
    // once it is whole.
    std::vector<pending_event> pending_;
    bool more_ = false;  // the last line said that its batch continues
    std::uint64_t events_ = 0;
};

}  // namespace pawl::cli
