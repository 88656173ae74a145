// A journal that no writer holds, which a call is about to change.
#pragma once

#include "os/directory_handle.hpp"
#include "store/directory.hpp"
#include "store/writer_lock.hpp"

#include <pawl/journal/error.hpp>

#include <filesystem>
#include <memory>

namespace pawl::detail {

struct journal_at_rest {
    directory_handle directory;
    identity journal;
};

// newer_format if the journal's features allow this program only to read it.
[[nodiscard]] result<void> check_may_change(const directory_handle& directory,
                                            const identity& journal);

// Takes no lock yet. Fails like hold_journal, read_identity, refuse_network_file_system and
// check_may_change.
[[nodiscard]] result<journal_at_rest> hold_at_rest(const std::filesystem::path& path,
                                                   bool allow_network_file_system);

// As a writer holds it; locked, naming the holder, if there is one.
[[nodiscard]] result<std::unique_ptr<writer_lock>> lock_at_rest(const directory_handle& directory);

}  // namespace pawl::detail
