// Prints an event's metadata as JSON.
//
//     std::string line;  // {"actor":"Ada","others":[{"tag":32769,"value":"00ff"}]}
//     if (auto done = pawl::append_metadata_json(line, event->metadata()); !done)
//         return done.error();
//
// The standard entries have names:
//
// | entry | JSON |
// | --- | --- |
// | command | {"id":"32 hexadecimal digits","hash":"16 of them"} |
// | correlation, causation | 32 hexadecimal digits |
// | trace | {"traceparent":"00-...","tracestate":"..."}, as W3C headers |
// | actor | a string |
// | source_time | "source_time_ns": a number |
// | tags, subjects | an array of numbers |
//
// Every other entry is an object in the array `others`, with its tag, its value in hexadecimal, and
// "critical":true if it is; so is a standard entry that is marked critical, or whose text is not
// valid UTF-8. No byte of the metadata is lost, and `pawl append` reads all of it back.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/metadata.hpp>

#include <string>

namespace pawl {

// Appends an object, on one line without spaces; {"others":[]} if there is no entry. Fails only
// with out_of_memory; `to` is then unchanged. Thread-safe.
[[nodiscard]] result<void> append_metadata_json(std::string& to, const metadata_view& all);

}  // namespace pawl
