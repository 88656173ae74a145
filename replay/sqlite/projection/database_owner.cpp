#include "sqlite/projection/database_owner.hpp"

#include "os/file.hpp"
#include "sqlite/projection/projection_store.hpp"

#include <string>
#include <system_error>

namespace pawl::detail {

result<database_owner> database_owner::take(const std::filesystem::path& database) {
    // The same file for every path that leads to the database.
    std::error_code failed;
    auto path = std::filesystem::canonical(database, failed);
    if (failed)
        return std::unexpected(system_error(failed.value(), database, "cannot find"));
    path += "-projector";
    auto opened = file::open(path, file::access::create);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto held = held_flock::try_take(std::move(*opened));
    if (!held) {
        if (held.error().code == errc::locked)
            held.error().reason = "another projector has the database";
        return std::unexpected(std::move(held.error()));
    }
    return database_owner{std::move(*held)};
}

result<void> drop_builds(const sql_database& in, std::string_view name, std::uint32_t version) {
    const projection_store store{in};
    auto all = sql_transaction::begin(in);
    if (!all)
        return std::unexpected(std::move(all.error()));
    auto builds = store.builds();
    if (!builds)
        return std::unexpected(std::move(builds.error()));
    const projection_build* last = nullptr;
    for (const projection_build& each : *builds) {
        if (each.name != name || each.version != version)
            continue;
        if (each.state == projection_state::live)
            return std::unexpected(error{.code = errc::busy,
                                         .reason = "this version of the projection is live",
                                         .detail = std::string{name}});
        if (auto done = store.drop(each); !done)
            return done;
        last = &each;
    }
    if (last == nullptr)
        return std::unexpected(
            error{.code = errc::not_found,
                  .reason = "the database has no such version of a projection",
                  .detail = std::string{name} + ", version " + std::to_string(version)});
    // First the consumer: a crash after the commit would leave it to hold back prunes for ever.
    if (auto dropped = drop_consumer(last->directory, last->consumer);
        !dropped && dropped.error().code != errc::not_found &&
        dropped.error().code != errc::not_a_journal)
        return dropped;
    return all->commit();
}

}  // namespace pawl::detail
