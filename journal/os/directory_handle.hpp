// A directory and the operations on its entries.
//
// A path is not a directory: somebody may move the directory that it led to and put another in its
// place. So a writer holds its directory by a descriptor, and every name is looked up relative to
// that.
#pragma once

#include "os/file.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

// Copies refer to the same directory and share its descriptor.
class directory_handle {
  public:
    // What a rename does if a file already has the new name.
    enum class on_existing : std::uint8_t { replace, fail };

    // By its name alone: every call looks up the path again, which suits a reader that opens one
    // file now and then. Implicit, so that a function that takes a directory also takes its path.
    directory_handle(std::filesystem::path path);
    // By a descriptor: it stays the same directory, whatever happens to its name. The path is made
    // absolute, so that a later chdir changes nothing.
    [[nodiscard]] static result<directory_handle> hold(const std::filesystem::path& path);
    [[nodiscard]] result<directory_handle> hold_below(std::string_view name) const;

    // The same directory; files and directories created through the returned handle get these
    // attributes.
    [[nodiscard]] directory_handle giving(const file_attributes& attributes) const {
        directory_handle made{*this};
        made.attributes_ = attributes;
        return made;
    }
    // The same with the attributes of a file in it. foreign_owner if this process may not give them
    // to other files; nothing is changed.
    [[nodiscard]] result<directory_handle> giving_as(std::string_view name) const;
    // What giving() set. Without it, new files get the permissions that the umask leaves.
    [[nodiscard]] const std::optional<file_attributes>& attributes() const noexcept {
        return attributes_;
    }
    // Whether this process could give a new file these attributes; changes nothing.
    [[nodiscard]] bool can_give(const file_attributes& attributes) const noexcept;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return opened_->path; }
    [[nodiscard]] std::filesystem::path path_of(std::string_view name) const {
        return opened_->path / name;
    }

    // A file that is created gets the attributes of giving(), or else `permissions` less the umask.
    [[nodiscard]] result<file> open(std::string_view name, file::access mode,
                                    std::uint32_t permissions = 0600) const;
    // Gives a file the attributes of giving(), if there are any.
    [[nodiscard]] result<void> give(const file& made) const;
    // Whether there is an entry with this name. An error if that cannot be determined.
    [[nodiscard]] result<bool> has(std::string_view name) const;
    // The names in it, in no particular order, without "." and "..".
    [[nodiscard]] result<std::vector<std::string>> names() const;
    // Identity of the file that has this name now; not_found if there is none.
    [[nodiscard]] result<file_identity> identity_of(std::string_view name) const;
    [[nodiscard]] result<file_attributes> attributes_of(std::string_view name) const;
    // How many names that file has.
    [[nodiscard]] result<std::uint64_t> links_of(std::string_view name) const;

    // io with EEXIST if a file has the new name and must not be replaced.
    [[nodiscard]] result<void> rename(std::string_view from, std::string_view to,
                                      on_existing what) const;
    // Moves a file into another directory of the same file system.
    [[nodiscard]] result<void> move(std::string_view from, const directory_handle& into,
                                    std::string_view to, on_existing what) const;
    [[nodiscard]] result<void> unlink(std::string_view name) const;
    // Creates one level for files of that mode, or of the mode of giving(): the owner may write in
    // it, and everyone who may read the files may search it. An existing directory is fine. True if
    // it was created.
    [[nodiscard]] result<bool> make_directory(std::string_view name,
                                              std::uint32_t file_mode = 0600) const;
    [[nodiscard]] result<void> sync() const;

    // Writes a file as a whole: writes a temporary file, syncs it, renames it, and syncs the
    // directory.
    [[nodiscard]] result<void> write_whole(std::string_view name,
                                           std::span<const std::span<const std::byte>> parts,
                                           on_existing what = on_existing::replace,
                                           std::uint32_t permissions = 0600) const;
    // All bytes of a small file; damaged if it is larger than `limit`.
    [[nodiscard]] result<std::vector<std::byte>> read_whole(std::string_view name,
                                                            std::uint64_t limit) const;

    // not_found if the path now leads to another directory, or to none. A path that cannot be
    // looked up at the moment proves nothing and is not an error.
    [[nodiscard]] result<void> still_at_path() const;

  private:
    struct opened {
        std::filesystem::path path;
        int descriptor;
        opened(std::filesystem::path where, int held) noexcept
            : path{std::move(where)}, descriptor{held} {}
        opened(const opened&) = delete;
        opened& operator=(const opened&) = delete;
        ~opened();
    };
    explicit directory_handle(std::shared_ptr<const opened> made) noexcept
        : opened_{std::move(made)} {}
    // The path to pass to the kernel along with the descriptor to find `name`.
    [[nodiscard]] std::filesystem::path below(std::string_view name) const;

    [[nodiscard]] result<void> give_directory(std::string_view name) const;

    std::shared_ptr<const opened> opened_;
    std::optional<file_attributes> attributes_{};
};

// The path without trailing slashes: "d/" names d, and its parent is the directory that holds d.
[[nodiscard]] std::filesystem::path without_trailing_slashes(std::filesystem::path path);

}  // namespace pawl::detail
