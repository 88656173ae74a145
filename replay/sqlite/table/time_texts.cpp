#include "sqlite/table/time_texts.hpp"

#include <pawl/codec/utc_time.hpp>

#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace pawl::detail {

namespace {

using shared_texts = std::shared_ptr<time_texts>;

int compare_times(void* texts, int first_bytes, const void* first, int second_bytes,
                  const void* second) {
    return (*static_cast<const shared_texts*>(texts))
        ->compare({static_cast<const char*>(first), static_cast<std::size_t>(first_bytes)},
                  {static_cast<const char*>(second), static_cast<std::size_t>(second_bytes)});
}

// SQLite keeps nothing for a connection that could be asked for again (until 3.44), so the program
// does. The collation owns what stands here, and is destroyed with the connection.
struct connection_table {
    std::mutex access;
    std::unordered_map<const sqlite3*, std::weak_ptr<time_texts>> texts;
};
connection_table& connections() {
    static connection_table table;
    return table;
}

// Neither calls SQLite: a connection's own mutex may be held here, and is never taken under ours.
shared_texts find(const sqlite3& connection) {
    connection_table& known = connections();
    const std::scoped_lock held{known.access};
    const auto at = known.texts.find(&connection);
    return at == known.texts.end() ? nullptr : at->second.lock();
}

void remember(const sqlite3& connection, const shared_texts& texts) {
    connection_table& known = connections();
    const std::scoped_lock held{known.access};
    std::erase_if(known.texts, [](const auto& each) { return each.second.expired(); });
    known.texts.insert_or_assign(&connection, texts);
}

}  // namespace

result<shared_texts> time_texts::of(sqlite3& connection) {
    if (auto texts = find(connection))
        return texts;
    auto made = std::make_shared<time_texts>();
    auto kept = std::make_unique<shared_texts>(made);
    if (sqlite3_create_collation_v2(
            &connection, "pawl_time", SQLITE_UTF8, kept.get(), compare_times,
            [](void* at) { delete static_cast<shared_texts*>(at); }) != SQLITE_OK)
        return fail(errc::invalid_argument, sqlite3_errmsg(&connection));
    (void)kept.release();  // SQLite's now
    remember(connection, made);
    return made;
}

std::optional<std::uint64_t> time_texts::parse(std::string_view text) const noexcept {
    if (const auto whole = parse_utc(text))
        return whole;
    const auto of_day = day_ ? parse_time_of_day(text) : std::nullopt;
    return of_day ? std::optional{*day_ + *of_day} : std::nullopt;
}

int time_texts::compare(std::string_view a, std::string_view b) const noexcept {
    const auto time_a = parse(a);
    const auto time_b = parse(b);
    if (time_a && time_b)
        return *time_a < *time_b ? -1 : *time_a > *time_b ? 1 : 0;
    if (time_a || time_b)
        return time_a ? 1 : -1;
    return a.compare(b);
}

}  // namespace pawl::detail
