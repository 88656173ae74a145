#include "commands/commands.hpp"
#include "events/base64.hpp"
#include "events/database.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"
#include "terminal/rows.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

namespace pawl::cli {

namespace {

// A blob is shown in hexadecimal, kept in `text`.
cell cell_of(sqlite3_stmt* row, int column, std::string& text) {
    switch (sqlite3_column_type(row, column)) {
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_column_int64(row, column)};
        case SQLITE_FLOAT:
            return sqlite3_column_double(row, column);
        case SQLITE_TEXT:
            return std::string_view{reinterpret_cast<const char*>(sqlite3_column_text(row, column)),
                                    static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
        case SQLITE_BLOB: {
            const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(row, column));
            text.clear();
            append_hex(text, {bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column))});
            return std::string_view{text};
        }
        default:
            return std::monostate{};
    }
}

result<void> write_rows(query& asked, row_format format) {
    sqlite3_stmt* row = asked.get();
    const int count = sqlite3_column_count(row);
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        names.emplace_back(sqlite3_column_name(row, i));
    row_writer rows{format, names};
    std::vector<std::string> texts(names.size());
    std::vector<cell> cells;
    while (!interrupted()) {
        const auto more = asked.next();
        if (!more)
            return std::unexpected(more.error());
        if (!*more)
            break;
        cells.clear();
        for (int i = 0; i < count; ++i)
            cells.push_back(cell_of(row, i, texts[static_cast<std::size_t>(i)]));
        if (!rows.put(cells))
            break;
    }
    if (count != 0)
        (void)rows.finish();
    return {};
}

result<void> answer(database& from, const std::string& text, row_format format) {
    auto asked = from.prepare(text);
    if (!asked)
        return std::unexpected(std::move(asked.error()));
    return write_rows(*asked, format);
}

// Each of several statements.
result<void> answer_all(database& from, std::string text, row_format format) {
    while (text.find_first_not_of(" \t\r\n;") != std::string::npos) {
        auto asked = from.prepare_first(text);
        if (!asked)
            return std::unexpected(std::move(asked.error()));
        if (auto written = write_rows(*asked, format); !written)
            return written;
    }
    return {};
}

constexpr const char* prompt_help =
    ".tables   the tables\n"
    ".schema   their columns\n"
    ".quit     end; so does Ctrl-D\n"
    "Anything else is a query, which ends with a semicolon.\n";

// The commands of the prompt, or nothing if the line is none.
std::optional<std::string> query_of(const std::string& line) {
    if (line == ".tables")
        return "select name from sqlite_schema order by name;";
    if (line == ".schema")
        return "select s.name as \"table\", group_concat(c.name, ', ') as columns from "
               "sqlite_schema s, pragma_table_info(s.name) c group by 1;";
    return std::nullopt;
}

// One query after the other, from standard input. A wrong one ends a script, and not a session.
exit_code converse(database& from, row_format format) {
    const bool person = isatty(STDIN_FILENO) == 1;
    const auto ask = [&](const char* text) {
        if (person) {
            put(text);
            (void)finish_output(success);
        }
    };
    std::string query_text;
    std::string line;
    ask("pawl> ");
    while (!interrupted() && std::getline(std::cin, line)) {
        if (query_text.empty() && line == ".quit")
            break;
        if (query_text.empty() && line == ".help") {
            put(prompt_help);
        } else {
            query_text += query_text.empty() ? query_of(line).value_or(line) : '\n' + line;
            if (query_text.find_first_not_of(" \t\r\n") == std::string::npos)
                query_text.clear();
            if (query_text.empty() || sqlite3_complete(query_text.c_str()) == 0) {
                ask(query_text.empty() ? "pawl> " : "  ... ");
                continue;
            }
            const auto answered = answer_all(from, query_text, format);
            query_text.clear();
            if (!answered) {
                const exit_code code = complain(answered.error());
                if (!person)
                    return code;
            }
        }
        ask("pawl> ");
    }
    if (query_text.empty())
        return finish_output(success);
    const auto last = answer_all(from, query_text, format);
    return last ? finish_output(success) : complain(last.error());
}

}  // namespace

exit_code sql(const sql_options& options) {
    const attach_options how{.allow_network_file_system = options.allow_network_file_system};
    auto from = database::open(options.directory, how);
    if (!from)
        return complain(from.error());
    for (const std::string& other : options.attached) {
        const std::size_t equals = other.find('=');
        if (auto attached = from->attach(other.substr(0, equals), other.substr(equals + 1), how);
            !attached)
            return complain(attached.error());
    }
    if (auto set = from->make_read_only(); !set)
        return complain(set.error());
    catch_interrupts();
    if (options.query.empty())
        return converse(*from, options.format);
    const auto answered = answer(*from, options.query, options.format);
    const exit_code code = answered ? finish_output(success) : complain(answered.error());
    die_of_interrupt();
    return code;
}

}  // namespace pawl::cli
