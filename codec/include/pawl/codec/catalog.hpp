// The event types that a journal describes: how a program reads events that it has no header for.
//
//     auto types = pawl::event_catalog::load("orders");
//     if (!types)
//         return types.error();
//     std::string line;
//     if (const pawl::described_event* known = types->find(event->type(), event->schema_version()))
//         if (auto done = pawl::json_printer{known->shape}.print(event->payload(), line); !done)
//             return done.error();
//
// A type has one name for people, in JSON and SQL: that of its table at its newest version, without
// the namespace unless two types would share the name. Earlier names are aliases of it.
// Fields and enum values that were renamed are found by their earlier names as well, as
// schema::add_aliases_of says.
//
// Immutable: any number of threads may use one catalog at once. Describes what the journal held
// when it was loaded; load it again for types that were described since.
#pragma once

#include <pawl/codec/schema.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

struct described_event {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    schema shape;
};

class event_catalog {
  public:
    // Reads what pawl::descriptions() reads, and fails like it.
    [[nodiscard]] static result<event_catalog> load(const std::filesystem::path& directory);
    // Of several descriptions for one type and schema version, the last counts.
    [[nodiscard]] static result<event_catalog> from(
        std::span<const recorded_description> descriptions);

    // The shape of events of this type and schema version; null if it is not known.
    [[nodiscard]] const described_event* find(std::uint16_t type,
                                              std::uint16_t schema_version) const noexcept;
    // The shape at the newest version; null if the type is not known.
    [[nodiscard]] const described_event* newest(std::uint16_t type) const noexcept;
    // The type's name; empty if it is not known.
    [[nodiscard]] std::string_view name_of(std::uint16_t type) const noexcept;
    // The type with this name, with or without its namespace, or with an earlier name.
    [[nodiscard]] std::optional<std::uint16_t> type_named(std::string_view name) const noexcept;

    // Every name that type_named() takes, in order, and the type that it means.
    [[nodiscard]] std::span<const std::pair<std::string, std::uint16_t>> names() const noexcept {
        return aliases_;
    }

    // Every shape, by type and schema version.
    [[nodiscard]] std::span<const described_event> events() const noexcept { return events_; }
    // Why descriptions could not be used: they are no schemas, or exceed the limits.
    [[nodiscard]] std::span<const error> rejected() const noexcept { return rejected_; }

  private:
    using named_type = std::pair<std::string, std::uint16_t>;

    [[nodiscard]] result<void> add_earlier_names(schema& to, const recorded_description& last,
                                                 std::span<const recorded_description> all);
    void name_types();
    void add_alias(std::string_view name, std::uint16_t type);

    std::vector<described_event> events_;
    std::vector<named_type> names_;    // one for each type, by type
    std::vector<named_type> aliases_;  // sorted by name
    std::vector<named_type> earlier_names_;
    std::vector<error> rejected_;
};

}  // namespace pawl
