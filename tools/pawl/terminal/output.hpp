// Writes to standard output and standard error, and tracks failures of writing.
#pragma once

#include "terminal/exit_code.hpp"

#include <nlohmann/json_fwd.hpp>

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::cli {

// Writes to standard output, buffered. Returns false after any write has failed.
bool put(std::string_view text);

// Writes a value as indented JSON and a newline. Bytes that are not UTF-8, for example in a file
// name, become U+FFFD.
void put_json(const nlohmann::ordered_json& value);

// Flushes the buffer. If something could not be written, turns success into failure, with a line on
// standard error: a truncated report on a full disk must not look complete.
[[nodiscard]] exit_code finish_output(exit_code code);

// Writes one line to standard error, prefixed with "pawl: ".
void complain(std::string_view text);

// 1 if the journal or the request is at fault, 3 if the journal could not be read.
[[nodiscard]] exit_code exit_code_of(errc code);

// Prints an error on standard error, with a sentence of advice if there is one, and returns its
// exit_code_of.
exit_code complain(const error& what);

// An error's fields, without the unknown ones.
[[nodiscard]] nlohmann::ordered_json error_json(const error& what);

// 32 hexadecimal digits.
[[nodiscard]] std::string id_text(const journal_id& id);

// A process that owns something, for the second column of a report: the boot id is on a line of its
// own, below the process.
[[nodiscard]] std::string owner_text(std::string owner);

// "1 event", "2 events".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

// The names of a segment and of its index.
[[nodiscard]] std::string segment_file(std::uint64_t ordinal);
[[nodiscard]] std::string index_file(std::uint64_t ordinal);

// UTC with nanoseconds, "2023-11-14T22:13:20.000000000Z".
[[nodiscard]] std::string time_text(std::uint64_t nanoseconds);

}  // namespace pawl::cli
