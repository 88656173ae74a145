#include <pawl/codec/schema_changes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>

namespace pawl {

namespace {

struct rule_entry {
    std::string_view name;
    change_verdict verdict;
};

// In the order of change_rule.
constexpr auto rules = [] {
    using enum change_verdict;
    return std::array{
        rule_entry{"field_added", free},
        rule_entry{"required_field_added", needs_upcast},
        rule_entry{"field_removed", needs_upcast},
        rule_entry{"field_moved", needs_upcast},
        rule_entry{"field_renamed", note},
        rule_entry{"field_deprecated", note},
        rule_entry{"field_undeprecated", note},
        rule_entry{"field_type_changed", needs_upcast},
        rule_entry{"field_multiplicity_changed", needs_upcast},
        rule_entry{"field_default_changed", needs_upcast},
        rule_entry{"field_made_optional", needs_upcast},
        rule_entry{"field_made_mandatory", needs_upcast},
        rule_entry{"required_added", needs_upcast},
        rule_entry{"required_removed", needs_upcast},
        rule_entry{"key_changed", note},
        rule_entry{"nested_added", note},
        rule_entry{"nested_removed", note},
        rule_entry{"nested_retargeted", needs_upcast},
        rule_entry{"flexbuffer_changed", note},
        rule_entry{"attribute_changed", free},
        rule_entry{"enum_put_on_integer", note},
        rule_entry{"enum_taken_off_integer", note},
        rule_entry{"type_renamed", note},
        rule_entry{"type_replaced", needs_upcast},
        rule_entry{"struct_field_added", needs_upcast},
        rule_entry{"struct_field_removed", needs_upcast},
        rule_entry{"struct_field_moved", needs_upcast},
        rule_entry{"struct_field_renamed", note},
        rule_entry{"struct_field_type_changed", needs_upcast},
        rule_entry{"struct_array_length_changed", needs_upcast},
        rule_entry{"struct_layout_changed", needs_upcast},
        rule_entry{"table_became_struct", needs_upcast},
        rule_entry{"struct_became_table", needs_upcast},
        rule_entry{"enum_value_added", note},
        rule_entry{"enum_value_removed", needs_upcast},
        rule_entry{"enum_value_renamed", note},
        rule_entry{"enum_value_renumbered", needs_upcast},
        rule_entry{"enum_type_changed", needs_upcast},
        rule_entry{"bit_flags_changed", needs_upcast},
        rule_entry{"union_member_added", note},
        rule_entry{"union_member_removed", needs_upcast},
        rule_entry{"union_member_renamed", note},
        rule_entry{"union_member_renumbered", needs_upcast},
        rule_entry{"union_member_retargeted", needs_upcast},
    };
}();
static_assert(rules.size() == static_cast<std::size_t>(change_rule::union_member_retargeted) + 1,
              "a rule without a verdict");

}  // namespace

std::string_view to_string(change_verdict verdict) noexcept {
    switch (verdict) {
        case change_verdict::free:
            return "free";
        case change_verdict::note:
            return "note";
        case change_verdict::needs_upcast:
            return "needs upcast";
        case change_verdict::refused:
            return "refused";
    }
    return "?";
}

std::string_view to_string(change_rule rule) noexcept {
    return rules[static_cast<std::size_t>(rule)].name;
}

change_verdict verdict_of(change_rule rule) noexcept {
    return rules[static_cast<std::size_t>(rule)].verdict;
}

std::string schema_change::message() const noexcept {
    try {
        std::string text = where;
        text.append(": ").append(to_string(rule)).append(" (").append(to_string(verdict()));
        return text.append("): ").append(what);
    } catch (const std::bad_alloc&) {
        return "out of memory";  // short enough not to allocate
    }
}

change_verdict worst_of(std::span<const schema_change> changes) noexcept {
    change_verdict worst = change_verdict::free;
    for (const schema_change& one : changes)
        worst = std::max(worst, one.verdict());
    return worst;
}

}  // namespace pawl
