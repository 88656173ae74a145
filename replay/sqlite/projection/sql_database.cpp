#include "sqlite/projection/sql_database.hpp"

#include <system_error>
#include <utility>

namespace pawl::detail {

namespace {

constexpr int busy_timeout_ms = 5000;

[[nodiscard]] errc code_of(int sqlite) noexcept {
    switch (sqlite & 0xff) {
        case SQLITE_FULL:
            return errc::disk_full;
        case SQLITE_NOMEM:
            return errc::out_of_memory;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return errc::locked;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return errc::damaged;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_PROTOCOL:
            return errc::io;
        default:  // a constraint, or a statement that is wrong
            return errc::invalid_argument;
    }
}

}  // namespace

error sql_error(sqlite3& database, std::string_view doing) {
    error made{.code = code_of(sqlite3_errcode(&database)),
               .os_error = sqlite3_system_errno(&database)};
    if (made.code == errc::invalid_argument)
        made.os_error = 0;
    if (const char* path = sqlite3_db_filename(&database, "main"); path != nullptr)
        made.file = path;
    made.detail = sqlite3_errmsg(&database);
    if (!doing.empty())
        made.detail.append(": ").append(doing);
    return made;
}

result<void> sql_statement::bind(std::span<const sql_value> values) {
    sqlite3_stmt* const to = statement_.get();
    if (std::cmp_not_equal(sqlite3_bind_parameter_count(to), values.size())) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .size = values.size(),
                  .limit = static_cast<std::uint64_t>(sqlite3_bind_parameter_count(to)),
                  .reason = "a statement has another number of parameters than values",
                  .detail = sqlite3_sql(to)});
    }
    int code = SQLITE_OK;
    for (std::size_t i = 0; i < values.size() && code == SQLITE_OK; ++i) {
        const int at = static_cast<int>(i) + 1;
        if (const auto* whole = std::get_if<std::int64_t>(&values[i]))
            code = sqlite3_bind_int64(to, at, *whole);
        else if (const auto* real = std::get_if<double>(&values[i]))
            code = sqlite3_bind_double(to, at, *real);
        else if (const auto* text = std::get_if<std::string_view>(&values[i]))
            code = sqlite3_bind_text64(to, at, text->data() == nullptr ? "" : text->data(),
                                       text->size(), SQLITE_STATIC, SQLITE_UTF8);
        else if (const auto* blob = std::get_if<std::span<const std::byte>>(&values[i]))
            code = blob->empty()
                       ? sqlite3_bind_zeroblob(to, at, 0)
                       : sqlite3_bind_blob64(to, at, blob->data(), blob->size(), SQLITE_STATIC);
        else
            code = sqlite3_bind_null(to, at);
    }
    if (code != SQLITE_OK)
        return std::unexpected(sql_error(*sqlite3_db_handle(to), sqlite3_sql(to)));
    return {};
}

result<bool> sql_statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return code == SQLITE_ROW;
    return std::unexpected(
        sql_error(*sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get())));
}

bool sql_statement::is_null(int column) const noexcept {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t sql_statement::integer(int column) const noexcept {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string sql_statement::text(int column) const {
    const auto* from = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    if (from == nullptr)
        return {};
    return {from, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

// Whether a reader must not read the database because a process that died has left a rollback
// journal. In WAL mode there is none; but a process that died while it turned a new database to WAL
// mode leaves one.
[[nodiscard]] bool sql_database::waits_for_rollback() const {
    const auto read = run("pragma schema_version");
    return !read && sqlite3_extended_errcode(handle_.get()) == SQLITE_READONLY_ROLLBACK;
}

result<sql_database> sql_database::open(const std::filesystem::path& path, access mode) {
    auto made = connect(path, mode);
    if (!made || mode != access::read || !made->waits_for_rollback())
        return made;
    // Whoever reads with the right to change does it first.
    auto other = connect(path, access::change);
    if (!other)
        return other;
    if (auto read = other->run("pragma schema_version"); !read)
        return std::unexpected(std::move(read.error()));
    return connect(path, mode);
}

result<sql_database> sql_database::connect(const std::filesystem::path& path, access mode) {
    sqlite3* handle = nullptr;
    const int flags = mode == access::read ? SQLITE_OPEN_READONLY
                                           : SQLITE_OPEN_READWRITE |
                                                 (mode == access::create ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    sql_database made{handle};
    if (handle == nullptr)
        return std::unexpected(error{.code = errc::out_of_memory});
    if (code != SQLITE_OK) {
        auto why = sql_error(*handle, "opening the database");
        why.file = path.string();
        std::error_code unknown;
        if (mode != access::create && !std::filesystem::exists(path, unknown))
            why.code = errc::not_found;
        return std::unexpected(std::move(why));
    }
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    return made;
}

result<void> sql_database::prepare_for_writer() const {
    if (auto done = run("pragma journal_mode = wal"); !done)
        return done;
    return run("pragma synchronous = full");
}

result<sql_database> sql_database::open_temporary() {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open("", &handle);
    sql_database made{handle};
    if (code != SQLITE_OK)
        return std::unexpected(error{.code = errc::out_of_memory});
    return made;
}

result<sql_statement> sql_database::prepare(std::string_view text) const {
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v3(handle_.get(), text.data(), static_cast<int>(text.size()),
                           SQLITE_PREPARE_PERSISTENT, &made, &rest) != SQLITE_OK)
        return std::unexpected(sql_error(*handle_, text));
    sql_statement owned{made};
    const std::string_view tail{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    if (made == nullptr || tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .reason = "a statement is empty or more than one",
                                     .detail = std::string{text}});
    return owned;
}

result<void> sql_database::execute(const std::function<void(const sql_statement&)>& visit,
                                   std::string_view text, std::span<const sql_value> values) const {
    auto made = prepare(text);
    if (!made)
        return std::unexpected(std::move(made.error()));
    if (auto bound = made->bind(values); !bound)
        return bound;
    for (;;) {
        auto more = made->step();
        if (!more)
            return std::unexpected(std::move(more.error()));
        if (!*more)
            return {};
        visit(*made);
    }
}

result<void> sql_database::still_in_transaction() const {
    if (in_transaction())
        return {};
    const char* path = sqlite3_db_filename(handle_.get(), "main");
    return std::unexpected(error{.code = errc::io,
                                 .reason = "a statement that failed has ended the transaction",
                                 .file = path == nullptr ? "" : path});
}

void sql_database::roll_back() const noexcept {
    if (in_transaction())
        (void)sqlite3_exec(handle_.get(), "rollback", nullptr, nullptr, nullptr);
}

result<sql_transaction> sql_transaction::begin(const sql_database& in) {
    if (auto begun = in.run("begin immediate"); !begun)
        return std::unexpected(std::move(begun.error()));
    return sql_transaction{in};
}

result<void> sql_transaction::commit() {
    auto done = database_->run("commit");
    if (done)
        database_ = nullptr;
    return done;
}

}  // namespace pawl::detail
