#include "simulated_disk.hpp"

#include "controlled_process.hpp"
#include "disk_file.hpp"
#include "memory_files.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace pawl::test {

namespace fs = std::filesystem;
using detail::io_operation;

cut_choice cut_choice::from(std::uint64_t seed) noexcept {
    constexpr std::array<unsigned, 12> units{3, 3, 3, 3, 3, 9, 9, 9, 12, 12, 40, 48};
    constexpr std::array<std::uint64_t, 8> shares{0, 5, 64, 128, 192, 240, 251, 255};
    const std::uint64_t h = detail::mix64(seed);
    return {.seed = detail::mix64(h + 1),
            .unit_shift = units[h % units.size()],
            .newest_in_256 = shares[(h >> 16) % shares.size()],
            .names_in_order = (h >> 32 & 1) != 0};
}

simulated_disk::simulated_disk(fs::path root) : root_{std::move(root)} {
    for (const auto& entry : memory_files::list(root_.native(), true)) {
        if (entry.file->directory) {
            now_[entry.name] = nullptr;
            continue;
        }
        auto file = std::make_shared<disk_file>(next_id_++);
        file->adopt(entry.file->contents());
        now_[entry.name] = std::move(file);
    }
    durable_ = now_;
}

simulated_disk::~simulated_disk() = default;

std::string simulated_disk::relative(const char* path) const {
    const std::string_view whole{path};
    const std::string& root = root_.native();
    if (!whole.starts_with(root) || whole.size() == root.size())
        return {};
    return std::string{whole.substr(root.size() + 1)};
}

std::string simulated_disk::parent_of(const std::string& name) {
    const auto slash = name.rfind('/');
    return slash == std::string::npos ? std::string{} : name.substr(0, slash);
}

disk_file* simulated_disk::find(const char* path) {
    const auto found = now_.find(relative(path));
    return found == now_.end() ? nullptr : found->second.get();
}

void simulated_disk::apply(names& to, const name_change& change) {
    if (!change.from.empty()) {
        const auto gone = to.find(change.from);
        if (gone != to.end() && gone->second == change.file)
            to.erase(gone);
    }
    if (!change.to.empty())
        to[change.to] = change.file;
}

void simulated_disk::change_names(name_change change) {
    change.time = time_;
    apply(now_, change);
    changes_.push_back(std::move(change));
}

void simulated_disk::create(const std::string& name) {
    if (const auto there = now_.find(name); there != now_.end()) {
        there->second->resize(0, time_);
        return;
    }
    change_names({.to = name, .file = std::make_shared<disk_file>(next_id_++)});
}

void simulated_disk::sync_names(const std::string& directory) {
    std::erase_if(changes_, [&](const name_change& change) {
        const bool here = (!change.from.empty() && parent_of(change.from) == directory) ||
                          (!change.to.empty() && parent_of(change.to) == directory);
        if (here)
            apply(durable_, change);
        return here;
    });
}

void simulated_disk::perform(const detail::io_event& event) {
    ++time_;
    disk_file* file = find(event.path);
    switch (event.operation) {
        case io_operation::create:
            return create(relative(event.path));
        case io_operation::allocate:
            if (file != nullptr)
                file->resize(event.bytes, time_);
            return;
        case io_operation::write:
            if (file != nullptr)
                file->write(event.offset, {static_cast<const std::byte*>(event.data), event.bytes},
                            time_);
            return;
        case io_operation::punch:
            if (file != nullptr)
                file->zero(event.offset, event.bytes, time_);
            return;
        case io_operation::sync_range:
            if (file != nullptr)
                file->sync(event.offset, event.bytes);
            return;
        case io_operation::sync_file:
            if (file != nullptr) {
                file->sync(0, std::uint64_t{1} << 40);
                file->sync_size();
            }
            return;
        case io_operation::sync_directory:
            if (std::string_view{event.path}.starts_with(root_.native()))
                sync_names(relative(event.path));
            return;
        case io_operation::rename: {
            const auto moved = now_.find(relative(event.path));
            const bool fails = !event.replaces && now_.contains(relative(event.target));
            if (moved != now_.end() && !fails)
                change_names({.from = moved->first,
                              .to = relative(event.target),
                              .file = file_pointer{moved->second}});
            return;
        }
        case io_operation::unlink: {
            const auto gone = now_.find(relative(event.path));
            if (gone != now_.end())
                change_names({.from = gone->first, .file = file_pointer{gone->second}});
            return;
        }
        case io_operation::make_directory:
            if (!now_.contains(relative(event.path)))
                change_names({.to = relative(event.path)});
            return;
        case io_operation::open:
        case io_operation::map:
        case io_operation::read:
        case io_operation::lock:
            return;
    }
}

void simulated_disk::fail_sync(const detail::io_event& event, std::uint64_t seed) {
    ++time_;
    disk_file* file = find(event.path);
    if (file == nullptr)
        return;  // a directory: whether its changes are on the disk stays uncertain
    const bool range = event.operation == io_operation::sync_range;
    file->fail_sync(range ? event.offset : 0, range ? event.bytes : std::uint64_t{1} << 40,
                    cut_choice::from(seed));
    stale_ = true;
}

void simulated_disk::observe() {
    ++time_;
    for (const auto& [name, file] : now_) {
        const auto slash = name.rfind('/');
        const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
        if (file != nullptr && (last.ends_with(".seg") || last == "control") &&
            !parent_of(name).ends_with("torn")) {
            if (const auto shown = memory_files::find((root_ / name).native()))
                stores_seen_ += file->observe(shown->contents(), time_);
        }
    }
    if (stale_)
        take_dirtied_pages();
}

void simulated_disk::take_dirtied_pages() {
    const auto pages = store_watch::take();
    for (const auto& [name, file] : now_) {
        if (pages.empty() || file == nullptr)
            continue;
        const auto shown = memory_files::find((root_ / name).native());
        for (const auto& page : pages) {
            if (shown != nullptr && shown->bytes.data() == page.mapping)
                file->page_dirtied(page.index, time_);
        }
    }
}

void simulated_disk::cut(const cut_choice& choice, const fs::path& into) const {
    names left = durable_;
    const std::uint64_t prefix = detail::mix64(choice.seed ^ 1) % (changes_.size() + 1);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const bool kept = choice.names_in_order
                              ? i < prefix
                              : (detail::mix64(choice.seed ^ (i + 2)) & 0xff) < 128;
        if (kept)
            apply(left, changes_[i]);
    }
    memory_files::clear(into.native());
    // A directory comes before its entries.
    for (const auto& [name, file] : left) {
        const std::string parent = parent_of(name);
        if (!parent.empty() && memory_files::find((into / parent).native()) == nullptr)
            continue;  // in a directory that does not exist
        if (file == nullptr) {
            memory_files::create((into / name).native(), true);
            continue;
        }
        const std::uint64_t bytes = file->size_after(choice, time_);
        file->contents(choice, time_, memory_files::put((into / name).native(), bytes));
    }
}

}  // namespace pawl::test
