// Checks a read model against the journal: folds it again and compares, table by table.
//
//     auto same = pawl::equals_fold<balances>("orders", "views.db");
//     if (!same) return same.error();
//     if (same->difference) use(same->difference->message());
//
// May run while a projector writes the database: it compares with what the database held at one
// moment. The fold needs the journal from event 0 on, and room for a second copy of the tables in
// memory or in a temporary file. Events that were parked or left out are left out of the fold, too.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/sqlite/projection.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace pawl {

struct projection_difference {
    std::string table;
    std::uint64_t row = 0;   // among the rows in ascending order
    std::string database{};  // the row there, or what the table is made with; empty without one
    std::string fold{};      // the same of the fold

    // "table balances, row 3: the database has (7, 40), the fold (7, 45)".
    [[nodiscard]] std::string message() const;
};

struct projection_audit {
    std::uint64_t build = 0;   // of the projection in the database
    sequence_number next = 0;  // the events before it were folded
    std::uint64_t applied = 0;
    std::uint64_t rows = 0;                             // compared
    std::optional<projection_difference> difference{};  // the first
};

struct audit_options {
    // False: compare the version that readers see. True: the one that is being built.
    bool building = false;
    bool allow_network_file_system = false;  // cursor_options
};

namespace detail {
[[nodiscard]] result<projection_audit> audit_projection(const projection_type& type,
                                                        const std::filesystem::path& directory,
                                                        const std::filesystem::path& database,
                                                        const audit_options& options);
}

// Fails with not_found if the database does not have this version; diverged if it shows events that
// the journal does not have; pruned; with what `apply` returned for an event; like cursor::open.
template <projection P>
[[nodiscard]] result<projection_audit> equals_fold(const std::filesystem::path& directory,
                                                   const std::filesystem::path& database,
                                                   const audit_options& options = {}) {
    return detail::audit_projection(detail::projection_type_of<P>(), directory, database, options);
}

}  // namespace pawl
