// Builds a checked layout from a binary schema that FlatBuffers' verifier has accepted.
#pragma once

#include "schema/layout.hpp"

#include <pawl/codec/schema.hpp>
#include <pawl/journal/error.hpp>

#include <memory>
#include <string_view>

namespace pawl::detail {

[[nodiscard]] result<std::unique_ptr<schema_layout>> build_layout(const reflection::Schema& from,
                                                                  std::string_view table,
                                                                  const schema_limits& limits);

// Check the constraints between the fields of one struct or table, and between nested structs.
[[nodiscard]] result<void> check_struct(const schema_layout& in, const object_layout& at);
[[nodiscard]] result<void> check_table(object_layout& at);
[[nodiscard]] result<void> check_struct_nesting(const schema_layout& in);

}  // namespace pawl::detail
