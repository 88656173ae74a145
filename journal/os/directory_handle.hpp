// A directory, and what is done in it.
//
// A path is not a directory: somebody may move what it led to and put another in its place. So a
// writer holds its directory by a descriptor, and every name is looked up below that.
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

// Copies mean the same directory and share its descriptor.
class directory_handle {
  public:
    // What a rename does about a file that already has the new name.
    enum class on_existing : std::uint8_t { replace, fail };

    // By its name alone: the path is looked up again at every call, as by a reader that comes and
    // goes. Implicit, because whatever takes a directory takes its path, too.
    directory_handle(std::filesystem::path path);
    // By a descriptor: the same directory, whatever becomes of its name. The path is made absolute,
    // so that a later chdir changes nothing.
    [[nodiscard]] static result<directory_handle> hold(const std::filesystem::path& path);
    [[nodiscard]] result<directory_handle> hold_below(std::string_view name) const;

    // The same directory; the files and directories made through the copy get these attributes.
    [[nodiscard]] directory_handle giving(const file_attributes& attributes) const {
        directory_handle made{*this};
        made.attributes_ = attributes;
        return made;
    }
    // The same with the attributes that a file in it has. foreign_owner if this process may not
    // give them to other files; nothing is changed.
    [[nodiscard]] result<directory_handle> giving_as(std::string_view name) const;
    // What giving() set; files made through a handle without it keep what the umask leaves.
    [[nodiscard]] const std::optional<file_attributes>& attributes() const noexcept {
        return attributes_;
    }
    // Whether this process could give a new file these attributes; changes nothing.
    [[nodiscard]] bool can_give(const file_attributes& attributes) const noexcept;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return opened_->path; }
    [[nodiscard]] std::filesystem::path path_of(std::string_view name) const {
        return opened_->path / name;
    }

    // A file that is created gets the attributes of giving(), or else those permissions that the
    // umask leaves.
    [[nodiscard]] result<file> open(std::string_view name, file::access mode,
                                    std::uint32_t permissions = 0600) const;
    // Gives a file the attributes of giving(), if there are any.
    [[nodiscard]] result<void> give(const file& made) const;
    // Whether the name stands for anything. Any doubt is an error.
    [[nodiscard]] result<bool> has(std::string_view name) const;
    // The names in it, in no order, without "." and "..".
    [[nodiscard]] result<std::vector<std::string>> names() const;
    // Identity of the file that a name stands for now; not_found if there is none.
    [[nodiscard]] result<file_identity> identity_of(std::string_view name) const;
    [[nodiscard]] result<file_attributes> attributes_of(std::string_view name) const;
    // How many names that file has.
    [[nodiscard]] result<std::uint64_t> links_of(std::string_view name) const;

    // An existing file is an error of kind io with EEXIST if it must not be replaced.
    [[nodiscard]] result<void> rename(std::string_view from, std::string_view to,
                                      on_existing what) const;
    // Moves a file into another directory of the same file system.
    [[nodiscard]] result<void> move(std::string_view from, const directory_handle& into,
                                    std::string_view to, on_existing what) const;
    [[nodiscard]] result<void> unlink(std::string_view name) const;
    // Creates one level for files of that mode, or those of giving(): the owner may write in it,
    // and everyone who may read the files may search it. An existing directory is fine. True if it
    // was made.
    [[nodiscard]] result<bool> make_directory(std::string_view name,
                                              std::uint32_t file_mode = 0600) const;
    [[nodiscard]] result<void> sync() const;

    // Writes a file as a whole: temporary file, write, sync, rename, sync of the directory.
    [[nodiscard]] result<void> write_whole(std::string_view name,
                                           std::span<const std::span<const std::byte>> parts,
                                           on_existing what = on_existing::replace,
                                           std::uint32_t permissions = 0600) const;
    // All bytes of a small file; larger than `limit` is damaged.
    [[nodiscard]] result<std::vector<std::byte>> read_whole(std::string_view name,
                                                            std::uint64_t limit) const;

    // not_found if the path leads to another directory by now, or to none. A path that cannot be
    // looked up at the moment proves nothing and is no error.
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
    // What the kernel is given together with the descriptor to find `name`.
    [[nodiscard]] std::filesystem::path below(std::string_view name) const;

    [[nodiscard]] result<void> give_directory(std::string_view name) const;

    std::shared_ptr<const opened> opened_;
    std::optional<file_attributes> attributes_{};
};

// The path without the slashes at its end: "d/" names d, and its parent is what d lies in.
[[nodiscard]] std::filesystem::path without_trailing_slashes(std::filesystem::path path);

}  // namespace pawl::detail
