#include "view/query_answer.hpp"

#include "events/base64.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace pawl::cli {

namespace {

using nlohmann::ordered_json;
using clock = std::chrono::steady_clock;

// What a query may do. The tables' own module prepares nothing that needs more.
int authorise(void*, int action, const char* first, const char* second, const char*, const char*) {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_READ:
        case SQLITE_RECURSIVE:
            return SQLITE_OK;
        case SQLITE_FUNCTION:
            return std::strcmp(second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
        case SQLITE_PRAGMA:
            return first != nullptr && (std::strcmp(first, "table_info") == 0 ||
                                        std::strcmp(first, "table_list") == 0)
                       ? SQLITE_OK
                       : SQLITE_DENY;
        default:
            return SQLITE_DENY;
    }
}

int is_late(void* deadline) {
    return clock::now() > *static_cast<clock::time_point*>(deadline) ? 1 : 0;
}

ordered_json value_of(sqlite3_stmt* row, int column) {
    constexpr std::int64_t greatest = std::int64_t{1} << 53;
    switch (sqlite3_column_type(row, column)) {
        case SQLITE_INTEGER: {
            const std::int64_t number = sqlite3_column_int64(row, column);
            if (number > greatest || number < -greatest)
                return std::to_string(number);
            return number;
        }
        case SQLITE_FLOAT:
            return sqlite3_column_double(row, column);
        case SQLITE_TEXT:
            return std::string{reinterpret_cast<const char*>(sqlite3_column_text(row, column)),
                               static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
        case SQLITE_BLOB: {
            const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(row, column));
            std::string text;
            append_hex(text, {bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column))});
            return text;
        }
        default:
            return nullptr;
    }
}

}  // namespace

result<std::string> answer_query(const std::filesystem::path& directory,
                                 bool allow_network_file_system, const std::string& text,
                                 const query_limits& limits) {
    const auto begun = clock::now();
    auto from = database::open(directory, {.allow_network_file_system = allow_network_file_system});
    if (!from)
        return std::unexpected(std::move(from.error()));
    if (auto set = from->make_read_only(); !set)
        return std::unexpected(std::move(set.error()));
    sqlite3_set_authorizer(from->get(), &authorise, nullptr);
    auto deadline = begun + limits.time;
    constexpr int steps = 10'000;
    sqlite3_progress_handler(from->get(), steps, &is_late, &deadline);
    auto asked = from->prepare(text);
    if (!asked)
        return std::unexpected(std::move(asked.error()));
    sqlite3_stmt* row = asked->get();
    if (sqlite3_stmt_readonly(row) == 0)
        return fail(errc::invalid_argument, "a query here may only read");
    const int count = sqlite3_column_count(row);
    ordered_json answer{
        {"columns", ordered_json::array()}, {"rows", ordered_json::array()}, {"complete", false}};
    for (int i = 0; i < count; ++i)
        answer["columns"].push_back(sqlite3_column_name(row, i));
    while (answer["rows"].size() < limits.rows) {
        const auto more = asked->next();
        if (!more && clock::now() > deadline)
            return fail(errc::invalid_argument,
                        "the query took too long and was stopped: add a condition on sequence, "
                        "time or stream, or run it with pawl sql");
        if (!more)
            return std::unexpected(more.error());
        if (!*more) {
            answer["complete"] = true;
            break;
        }
        ordered_json values = ordered_json::array();
        for (int i = 0; i < count; ++i)
            values.push_back(value_of(row, i));
        answer["rows"].push_back(std::move(values));
    }
    answer["milliseconds"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begun).count();
    return answer.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace pawl::cli
