// Walks two schemas side by side, from the event's table through everything that it reaches.
#pragma once

#include "schema/layout.hpp"

#include <pawl/codec/schema_changes.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pawl::detail {

class schema_comparison {
  public:
    schema_comparison(const schema_layout& before, const schema_layout& after)
        : before_{before}, after_{after} {}

    std::vector<schema_change> compare() &&;

  private:
    void add(change_rule rule, std::string where, std::string what);

    // Compares each pair of types only once, because schemas may refer to themselves.
    void objects(std::int32_t was, std::int32_t is);
    void enums(std::int32_t was, std::int32_t is);

    void tables(const object_layout& was, const object_layout& is);
    void table_field(const object_layout& was, const field_layout& from, const field_layout& to);
    void attributes(const std::string& where, const attribute_list& was, const attribute_list& is);
    void field_flags(const std::string& where, const field_layout& from, const field_layout& to);
    void nested(const std::string& where, const field_layout& from, const field_layout& to);
    // True if payloads of the two types are read the same way; reports the differences inside them.
    bool types(const std::string& where, const value_type& from, const value_type& to);

    void structs(const object_layout& was, const object_layout& is);
    void struct_field(const std::string& where, const field_layout& from, const field_layout& to);

    void enum_values(const enum_layout& was, const enum_layout& is);
    void union_members(const enum_layout& was, const enum_layout& is);
    void member_type(const std::string& where, const enum_value& from, const enum_value& to);

    // True if a type with a different name counts as renamed.
    template <class Type>
    bool renamed(const std::string& was, const std::string& is, const std::vector<Type>& in_before,
                 const std::vector<Type>& in_after);
    [[nodiscard]] std::string describe(const schema_layout& in, const field_layout& field) const;
    [[nodiscard]] std::string describe(const schema_layout& in, const value_type& type) const;

    const schema_layout& before_;
    const schema_layout& after_;
    std::set<std::pair<std::int32_t, std::int32_t>> seen_objects_;
    std::set<std::pair<std::int32_t, std::int32_t>> seen_enums_;
    std::vector<schema_change> changes_;
};

}  // namespace pawl::detail
