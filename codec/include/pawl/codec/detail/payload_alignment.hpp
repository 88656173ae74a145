// The greatest alignment that a table's structs need, as far as its generated header shows it.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace pawl::detail {

inline constexpr std::size_t payload_alignment = 8;

template <class Table>
concept statically_reflected = requires { Table::Traits::fields_number; };

// `Field` is the return type of a field's accessor: a scalar, or a pointer to a struct, table,
// string or vector.
template <class Field>
struct field_alignment {
    static constexpr std::size_t value = 1;
};
template <class Struct>
    requires(std::is_class_v<Struct> && !std::is_base_of_v<flatbuffers::Table, Struct>)
struct field_alignment<const Struct*> {
    static constexpr std::size_t value = alignof(Struct);
};
template <class Struct>
struct field_alignment<const flatbuffers::Vector<const Struct*>*> {
    static constexpr std::size_t value = alignof(Struct);
};

// Checks only the table's own fields: following nested tables would have to handle schemas that
// refer to themselves. The encoder checks nested tables.
template <class Table>
[[nodiscard]] consteval std::size_t table_alignment() noexcept {
    if constexpr (statically_reflected<Table>) {
        return []<std::size_t... Index>(std::index_sequence<Index...>) {
            return std::max(
                {std::size_t{1},
                 field_alignment<typename Table::Traits::template FieldType<Index>>::value...});
        }(std::make_index_sequence<Table::Traits::fields_number>{});
    } else {
        return 1;
    }
}

}  // namespace pawl::detail
