// An event as one line.
#pragma once

#include <fmt/format.h>

#include <pawl/journal/event.hpp>
#include <pawl/journal/metadata.hpp>

#include <string>

namespace pawl::cli {

// Appends a JSON object and a newline: every field of the header, the metadata entry by entry, and
// the payload in hexadecimal.
void append_json_line(fmt::memory_buffer& out, const event& e);

// Appends `"metadata":{...},` (append_metadata_json).
void append_metadata(std::string& to, const metadata_view& all);

// Appends a line for people: sequence, time, stream@version, type/schema version, bytes and the
// beginning of the payload.
void append_text_line(fmt::memory_buffer& out, const event& e);

}  // namespace pawl::cli
