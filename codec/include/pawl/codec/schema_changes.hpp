// Finds the changes between two schemas of one event type, and what they mean for existing events.
//
//     auto changes = pawl::compare_schemas(before, after);
//     if (!changes)
//         return changes.error().message();
//     for (const pawl::schema_change& change : *changes)
//         use(change.message());
//     if (pawl::worst_of(*changes) >= pawl::change_verdict::needs_upcast)
//         return "raise the schema version";
//
// codec/EVOLUTION.md lists the rules, with the effect of each on old events, on old programs and on
// what JSON and SQL show. FlatBuffers' own `flatc --conform` accepts half of the dangerous changes.
#pragma once

#include <pawl/codec/schema.hpp>
#include <pawl/journal/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// In order of severity.
enum class change_verdict : std::uint8_t {
    free,          // same schema version; no reader is affected
    note,          // same schema version; readable, but something is shown or named differently
    needs_upcast,  // needs a new schema version, with a step from the old one
    refused,       // no version of this event can look like that
};

enum class change_rule : std::uint8_t {
    // tables
    field_added,
    required_field_added,
    field_removed,
    field_moved,
    field_renamed,
    field_deprecated,
    field_undeprecated,
    field_type_changed,
    field_multiplicity_changed,
    field_default_changed,
    field_made_optional,
    field_made_mandatory,
    required_added,
    required_removed,
    key_changed,
    nested_added,
    nested_removed,
    nested_retargeted,
    flexbuffer_changed,
    attribute_changed,
    enum_put_on_integer,
    enum_taken_off_integer,
    type_renamed,
    type_replaced,
    // structs
    struct_field_added,
    struct_field_removed,
    struct_field_moved,
    struct_field_renamed,
    struct_field_type_changed,
    struct_array_length_changed,
    struct_layout_changed,
    table_became_struct,
    struct_became_table,
    // enums
    enum_value_added,
    enum_value_removed,
    enum_value_renamed,
    enum_value_renumbered,
    enum_type_changed,
    bit_flags_changed,
    // unions
    union_member_added,
    union_member_removed,
    union_member_renamed,
    union_member_renumbered,
    union_member_retargeted,
};

[[nodiscard]] std::string_view to_string(change_verdict verdict) noexcept;
[[nodiscard]] std::string_view to_string(change_rule rule) noexcept;
[[nodiscard]] change_verdict verdict_of(change_rule rule) noexcept;

struct schema_change {
    change_rule rule{};
    std::string where{};  // "shop.order_placed.price"; the old name, if it has changed
    std::string what{};   // "int became long"

    [[nodiscard]] change_verdict verdict() const noexcept { return verdict_of(rule); }
    // "shop.order_placed.price: field_type_changed (needs upcast): int became long"
    // Without memory for it: "out of memory".
    [[nodiscard]] std::string message() const noexcept;

    friend bool operator==(const schema_change&, const schema_change&) = default;
};

// Returns every change, in the order in which the table reaches it. Two schemas with the same bytes
// have none, and two without changes describe the same payloads by the same names. A type that
// changed in several places is reported once. Allocates; costs microseconds.
[[nodiscard]] result<std::vector<schema_change>> compare_schemas(const schema& before,
                                                                 const schema& after);

// Returns free if there are no changes.
[[nodiscard]] change_verdict worst_of(std::span<const schema_change> changes) noexcept;

}  // namespace pawl
