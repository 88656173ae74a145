// What goes to standard output and standard error, and the failures of writing it.
#pragma once

#include "commands/commands.hpp"

#include <nlohmann/json_fwd.hpp>

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <string>
#include <string_view>

namespace pawl::cli {

// Writes to standard output, buffered. False once anything could not be written.
bool put(std::string_view text);

// Writes a value as indented JSON and a newline. Bytes that are not UTF-8, as a file name may have,
// become U+FFFD.
void put_json(const nlohmann::ordered_json& value);

// Writes what is buffered. Turns success into failure, with a line on standard error, where
// something could not be written: a report on a full disk must not look like one.
[[nodiscard]] exit_code finish_output(exit_code code);

// One line on standard error, "pawl: " in front.
void complain(std::string_view text);

// 1 for what is wrong with the journal or what was asked for, 3 for what kept it from being read.
[[nodiscard]] exit_code exit_code_of(errc code);

// Says an error on standard error, with a sentence of advice if there is one, and returns
// exit_code_of its kind.
exit_code complain(const error& what);

// An error's fields, the unknown ones left out.
[[nodiscard]] nlohmann::ordered_json error_json(const error& what);

// 32 hexadecimal digits.
[[nodiscard]] std::string id_text(const journal_id& id);

// UTC with nanoseconds, "2023-11-14T22:13:20.000000000Z".
[[nodiscard]] std::string time_text(std::uint64_t nanoseconds);

}  // namespace pawl::cli
