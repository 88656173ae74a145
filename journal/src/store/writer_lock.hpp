// One writer per directory: open-file-description locks on two files that are never unlinked.
#pragma once

#include "os/directory_handle.hpp"
#include "os/file.hpp"

#include <pawl/journal/error.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace pawl::detail {

// Held for the lifetime of the object. A forked child does not hold it: a fork handler closes the
// descriptor in the child before anything else runs there, because a copy of it would keep the lock
// alive after the parent has gone.
class writer_lock {
  public:
    // locked if another writer, in this or any other process, holds it.
    [[nodiscard]] static result<std::unique_ptr<writer_lock>> acquire(
        const directory_handle& directory, std::uint32_t mode);
    // Locks the identity file as well, once it exists: deleting or replacing the lock file then
    // does not let a second writer in. locked if another writer holds it.
    [[nodiscard]] result<void> hold_identity();
    // Whether a writer holds either lock now. Needs read permission only; io if that cannot be
    // determined.
    [[nodiscard]] static result<bool> is_held(const directory_handle& directory);
    // Which file the locked journal.pawl is.
    [[nodiscard]] result<file_identity> identity() const { return identity_.identity(); }

    writer_lock(const writer_lock&) = delete;
    writer_lock& operator=(const writer_lock&) = delete;
    ~writer_lock();

  private:
    writer_lock(directory_handle directory, file lock) noexcept;
    static void forget_in_child() noexcept;

    directory_handle directory_;
    file lock_;
    file identity_;
    writer_lock* next_ = nullptr;
    writer_lock* previous_ = nullptr;
};

// A word that a fork sets to zero in the child. It has a page of its own.
class fork_word {
  public:
    [[nodiscard]] static result<fork_word> create();
    fork_word(fork_word&& other) noexcept;
    fork_word& operator=(fork_word&&) = delete;
    ~fork_word();

    [[nodiscard]] std::atomic<std::uint32_t>& word() const noexcept { return *word_; }

  private:
    explicit fork_word(void* page) noexcept;
    std::atomic<std::uint32_t>* word_;
};

}  // namespace pawl::detail
