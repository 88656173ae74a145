// An event as one line.
#pragma once

#include <fmt/format.h>

#include <pawl/journal/event.hpp>
#include <pawl/journal/metadata.hpp>

namespace pawl::cli {

// Appends a JSON object and a newline: every field of the header, the metadata entry by entry, and
// the payload in hexadecimal.
void append_json_line(fmt::memory_buffer& out, const event& e);

// Appends `"metadata":{...},` with the standard entries under their names.
void append_metadata(fmt::memory_buffer& out, const metadata_view& all);

// Appends a line for people: sequence, time, stream@version, type/schema version, bytes and the
// beginning of the payload.
void append_text_line(fmt::memory_buffer& out, const event& e);

}  // namespace pawl::cli
