// Earlier names of fields and enum values.
#pragma once

#include "schema/layout.hpp"

namespace pawl::detail {

// Adds the names in `was` as aliases of the fields, enum values and union members of `is` that took
// their place, in the root table and in everything that it reaches. A name that `is` uses in the
// same table or enum is never an alias.
void add_aliases(schema_layout& is, const schema_layout& was);

}  // namespace pawl::detail
