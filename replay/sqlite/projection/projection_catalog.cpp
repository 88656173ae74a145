#include "sqlite/projection/database_owner.hpp"
#include "sqlite/projection/projection_store.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/sqlite/projection_catalog.hpp>

#include <utility>

namespace pawl {

std::string_view to_string(projection_state state) noexcept {
    switch (state) {
        case projection_state::building:
            return "building";
        case projection_state::live:
            return "live";
        case projection_state::old:
            return "old";
    }
    return "";
}

namespace {

[[nodiscard]] result<projection_info> describe(const detail::projection_store& store,
                                               const detail::projection_build& build) {
    auto parked = store.parked(build.id);
    if (!parked)
        return std::unexpected(std::move(parked.error()));
    auto skipped = store.skipped(build.id);
    if (!skipped)
        return std::unexpected(std::move(skipped.error()));
    projection_info made{.name = build.name,
                         .version = build.version,
                         .state = build.state,
                         .journal = build.directory,
                         .consumer = build.consumer,
                         .next = build.position.point.next,
                         .event_ns = build.position.event_ns,
                         .applied = build.applied,
                         .skipped = skipped->size(),
                         .stopped = build.stopped};
    for (detail::parked_row& each : *parked)
        made.parked.push_back(
            {.sequence = each.sequence, .key = std::move(each.key), .why = std::move(each.why)});
    return made;
}

// Calls act(database, store) as the owner of the database.
template <class Act>
[[nodiscard]] auto change(const std::filesystem::path& path, const Act& act)
    -> decltype(act(std::declval<const detail::sql_database&>(),
                    std::declval<const detail::projection_store&>())) {
    return detail::guarded([&]() -> decltype(act(std::declval<const detail::sql_database&>(),
                                                 std::declval<const detail::projection_store&>())) {
        auto database = detail::sql_database::open(path, detail::sql_database::access::change);
        if (!database)
            return std::unexpected(std::move(database.error()));
        auto owner = detail::database_owner::take(path);
        if (!owner)
            return std::unexpected(std::move(owner.error()));
        const detail::projection_store store{*database};
        if (auto known = store.check(); !known)
            return std::unexpected(std::move(known.error()));
        return act(*database, store);
    });
}

// Changes the parked events of a key in each build of a projection.
template <class Act>
[[nodiscard]] result<std::uint64_t> change_parked(const std::filesystem::path& path,
                                                  std::string_view name, std::string_view key,
                                                  const Act& act) {
    return change(
        path,
        [&](const detail::sql_database& in,
            const detail::projection_store& store) -> result<std::uint64_t> {
            auto all = detail::sql_transaction::begin(in);
            if (!all)
                return std::unexpected(std::move(all.error()));
            auto builds = store.builds();
            if (!builds)
                return std::unexpected(std::move(builds.error()));
            std::uint64_t changed = 0;
            for (const detail::projection_build& each : *builds) {
                if (each.name != name)
                    continue;
                auto count = act(store, each.id);
                if (!count)
                    return count;
                changed += *count;
            }
            if (changed == 0)
                return std::unexpected(error{
                    .code = errc::not_found,
                    .reason = "no event is parked under that key",
                    .file = path.string(),
                    .detail = "projection " + std::string{name} + ", key " + std::string{key}});
            if (auto done = all->commit(); !done)
                return std::unexpected(std::move(done.error()));
            return changed;
        });
}

}  // namespace

result<std::vector<projection_info>> list_projections(const std::filesystem::path& database) {
    return detail::guarded([&]() -> result<std::vector<projection_info>> {
        auto opened = detail::sql_database::open(database, detail::sql_database::access::read);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        if (auto begun = opened->run("begin"); !begun)
            return std::unexpected(std::move(begun.error()));
        const detail::projection_store store{*opened};
        if (auto known = store.check(); !known)
            return std::unexpected(std::move(known.error()));
        auto builds = store.builds();
        if (!builds)
            return std::unexpected(std::move(builds.error()));
        std::vector<projection_info> all;
        for (const detail::projection_build& each : *builds) {
            auto made = describe(store, each);
            if (!made)
                return std::unexpected(std::move(made.error()));
            all.push_back(std::move(*made));
        }
        return all;
    });
}

result<std::uint64_t> ask_for_retry(const std::filesystem::path& database, std::string_view name,
                                    std::string_view key) {
    return change_parked(database, name, key,
                         [&](const detail::projection_store& store, std::int64_t build) {
                             return store.ask_for_retry(build, key, true);
                         });
}

result<std::uint64_t> drop_parked_events(const std::filesystem::path& database,
                                         std::string_view name, std::string_view key) {
    return change_parked(database, name, key,
                         [&](const detail::projection_store& store, std::int64_t build) {
                             return store.give_up(build, key);
                         });
}

result<void> drop_projection(const std::filesystem::path& database, std::string_view name,
                             std::uint32_t version) {
    return change(database, [&](const detail::sql_database& in, const detail::projection_store&) {
        return detail::drop_builds(in, name, version);
    });
}

}  // namespace pawl
