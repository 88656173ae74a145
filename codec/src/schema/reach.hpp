// Finds the tables, structs, enums and unions of a binary schema that a table reaches.
#pragma once

#include <flatbuffers/reflection.h>

#include <pawl/codec/schema.hpp>
#include <pawl/journal/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

[[nodiscard]] inline std::unexpected<error> malformed_schema(const std::string& why) {
    return fail(errc::malformed, "a binary schema: " + why);
}

[[nodiscard]] inline std::string_view text_of(const flatbuffers::String* text) noexcept {
    return text == nullptr ? std::string_view{} : text->string_view();
}

// Returns the type, or None if the byte is not one. The generated accessors cast any byte to the
// enumeration.
[[nodiscard]] inline reflection::BaseType known_type(std::int8_t raw) noexcept {
    return raw < 0 || raw > reflection::Array ? reflection::None
                                              : static_cast<reflection::BaseType>(raw);
}
[[nodiscard]] inline reflection::BaseType base_of(const reflection::Type& type) noexcept {
    const auto& table = reinterpret_cast<const flatbuffers::Table&>(type);
    return known_type(table.GetField<std::int8_t>(reflection::Type::VT_BASE_TYPE, 0));
}
[[nodiscard]] inline reflection::BaseType element_of(const reflection::Type& type) noexcept {
    const auto& table = reinterpret_cast<const flatbuffers::Table&>(type);
    return known_type(table.GetField<std::int8_t>(reflection::Type::VT_ELEMENT, 0));
}

// Tables and structs by name.
class object_names {
  public:
    explicit object_names(const reflection::Schema& in);

    // Returns the position of the type with this name, including namespace; -1 if there is none.
    [[nodiscard]] std::int32_t find(std::string_view name) const noexcept;

    // The table that `nested_flatbuffer: name` means inside `parent`: looked up in the parent's
    // namespace and in those around it, as flatc does. -1 if there is none.
    [[nodiscard]] std::int32_t find_from(std::string_view parent, std::string_view name) const;

  private:
    struct entry {
        std::string_view name;
        std::int32_t position;
    };
    std::vector<entry> sorted_;
};

// The reached types, sorted by name, and maps from old positions to new ones (-1 if not reached).
struct reached_types {
    std::vector<const reflection::Object*> objects;
    std::vector<const reflection::Enum*> enums;
    std::vector<std::int32_t> object_position;
    std::vector<std::int32_t> enum_position;
    std::int32_t root = -1;
};

// Fails with malformed if an index, a name or a type is invalid, and with not_found if there is no
// such table. An empty name means the root type.
[[nodiscard]] result<reached_types> reach(const reflection::Schema& from, std::string_view table,
                                          const schema_limits& limits, const object_names& names);

[[nodiscard]] const flatbuffers::String* attribute_of(const reflection::Field& of,
                                                      std::string_view name);

}  // namespace pawl::detail
