#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>
#include <sys/stat.h>

#include <pawl/replay/snapshot_store.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr pawl::journal_identity some_journal{.id{1, 2, 3}, .origin{4, 5}};

pawl::snapshot_store open(const fs::path& directory, pawl::snapshot_options options = {},
                          std::uint32_t state_version = 1) {
    auto store =
        pawl::snapshot_store::open(directory, some_journal, state_version, std::move(options));
    REQUIRE(store);
    return std::move(*store);
}

auto text(std::string_view words) {
    return [words](pawl::snapshot_sink& out) { return out.write(std::as_bytes(std::span{words})); };
}

pawl::result<pawl::snapshot_info> add(pawl::snapshot_store& store, std::uint64_t next,
                                      std::string_view words = "some state") {
    return store.add({next, next * 7, next * 7 + 1}, pawl::log_digest{next * 9}, text(words));
}

std::vector<std::uint64_t> sequences(const pawl::snapshot_store& store) {
    auto list = store.list();
    REQUIRE(list);
    std::vector<std::uint64_t> found;
    for (const auto& each : list->snapshots)
        found.push_back(each.point.next);
    return found;
}

std::vector<std::string> files_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{directory})
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

std::string read(const fs::path& path) {
    std::ifstream from{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{from}, {}};
}
void write(const fs::path& path, const std::string& bytes) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

}  // namespace

TEST_CASE("a snapshot is loaded with its bytes and the fields of its header", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    const std::string state(3'000'000, 'x');  // more than one write
    auto added = add(store, 12, state);
    REQUIRE(added);

    auto loaded = store.load(added->path);
    REQUIRE(loaded);
    const auto bytes = loaded->bytes();
    CHECK(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()} == state);
    CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 == 0);
    CHECK(loaded->info().point == pawl::log_point{12, 84, 85});
    CHECK(loaded->info().digest == pawl::log_digest{108});
    CHECK(loaded->info().name == "state");
    CHECK(loaded->info().state_version == 1);
    CHECK(loaded->info().payload_bytes == state.size());
    CHECK(loaded->info().created_ns == added->created_ns);
}

TEST_CASE("an empty state is a snapshot too", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1, "");
    REQUIRE(added);
    auto loaded = store.load(added->path);
    REQUIRE(loaded);
    CHECK(loaded->bytes().empty());
}

TEST_CASE("snapshots go into a directory given by a relative name, and stay there after a chdir",
          "[snapshot]") {
    pawl::test::temporary_directory directory;
    const auto before = fs::current_path();
    fs::current_path(directory.path());
    const std::string name = GENERATE(as<std::string>{}, "snaps", "snaps/");
    auto store = open("journal", {.directory = name});
    CHECK(add(store, 1));
    fs::current_path(before);
    CHECK(add(store, 2));
    CHECK(files_in(directory.path() / "snaps").size() == 2);
}

TEST_CASE("a directory that does not exist holds no snapshots, and listing does not create it",
          "[replay]") {
    pawl::test::temporary_directory directory;
    const auto store = open(directory.path());
    CHECK(sequences(store).empty());
    CHECK_FALSE(fs::exists(store.directory()));
}

TEST_CASE("the newest snapshots are kept and older ones removed", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path(), {.keep = 3});
    for (std::uint64_t next = 1; next <= 12; ++next)
        REQUIRE(add(store, next * 100));
    CHECK(sequences(store) == std::vector<std::uint64_t>{1200, 1100, 1000});
    CHECK(files_in(store.directory()).size() == 3);
}

TEST_CASE("a snapshot newer than the one just added does not count among those kept", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    REQUIRE(add(store, 5000));
    for (std::uint64_t next = 1; next <= 3; ++next)
        REQUIRE(add(store, next));
    CHECK(sequences(store) == std::vector<std::uint64_t>{5000, 3, 2});
}

TEST_CASE("names and state versions do not see each other's snapshots", "[replay]") {
    pawl::test::temporary_directory directory;
    auto books = open(directory.path(), {.name = "books"});
    auto book = open(directory.path(), {.name = "book"});
    auto books_2 = open(directory.path(), {.name = "books"}, 2);
    for (std::uint64_t next = 1; next <= 3; ++next) {
        REQUIRE(add(books, next));
        REQUIRE(add(book, next + 10));
        REQUIRE(add(books_2, next + 20));
    }
    CHECK(sequences(books) == std::vector<std::uint64_t>{3, 2});
    CHECK(sequences(book) == std::vector<std::uint64_t>{13, 12});
    CHECK(sequences(books_2) == std::vector<std::uint64_t>{23, 22});
}

TEST_CASE("a state that cannot be saved leaves the snapshots as they were", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    REQUIRE(add(store, 1));
    const auto before = files_in(store.directory());
    auto failed = store.add({2, 0}, {}, [](pawl::snapshot_sink& out) -> pawl::result<void> {
        if (auto half = text("half a state")(out); !half)
            return half;
        return pawl::fail(pawl::errc::malformed, "no more");
    });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().detail == "no more");
    CHECK(files_in(store.directory()) == before);
}

TEST_CASE("a state larger than allowed is refused even where its fold passes over that",
          "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path(), {.max_bytes = 10});
    auto fits = add(store, 1, "0123456789");
    REQUIRE(fits);
    auto failed = store.add({2, 0}, {}, [](pawl::snapshot_sink& out) -> pawl::result<void> {
        for (int i = 0; i < 3; ++i)
            static_cast<void>(text("01234")(out));
        return {};
    });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == pawl::errc::too_large);
    CHECK(sequences(store) == std::vector<std::uint64_t>{1});
    CHECK_FALSE(open(directory.path(), {.max_bytes = 9}).load(fits->path));
}

TEST_CASE("the next process removes a snapshot that a dead process left half written", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    REQUIRE(add(store, 1));
    const fs::path left = store.directory() / "state-v1-00000000000000000002.tmp";
    write(left, "half");
    CHECK(sequences(store) == std::vector<std::uint64_t>{1});
    REQUIRE(add(store, 2));
    CHECK_FALSE(fs::exists(left));
    CHECK(sequences(store) == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("a snapshot of another journal is refused", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    auto other = pawl::snapshot_store::open(directory.path(), {.id{1, 2, 3}, .origin{9}}, 1);
    REQUIRE(other);
    auto loaded = other->load(added->path);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == pawl::errc::diverged);
    auto list = other->list();
    REQUIRE(list);
    CHECK(list->snapshots.empty());
    REQUIRE(list->rejected.size() == 1);
    CHECK(list->rejected[0].why.code == pawl::errc::diverged);
}

TEST_CASE("a snapshot in the place of another name or version is refused", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    const fs::path wrong = store.directory() / "other-v1-00000000000000000001.snap";
    fs::rename(added->path, wrong);
    auto loaded = open(directory.path(), {.name = "other"}).load(wrong);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == pawl::errc::invalid_argument);
}

TEST_CASE("every flipped bit of a snapshot is found", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    const auto bytes = fs::file_size(added->path);
    REQUIRE(bytes > 192);
    // In place: a file that is truncated and written again is flushed to the disk when closed.
    std::fstream file{added->path, std::ios::in | std::ios::out | std::ios::binary};
    const auto flip = [&](std::size_t bit) {
        const auto at = static_cast<std::streamoff>(bit / 8);
        file.seekg(at);
        const int byte = file.get();
        file.seekp(at);
        file.put(static_cast<char>(byte ^ (1 << (bit % 8)))).flush();
    };
    std::size_t unseen = 0;
    for (std::size_t bit = 0; bit < bytes * 8; ++bit) {
        flip(bit);
        unseen += store.load(added->path).has_value() ? 1 : 0;
        flip(bit);
    }
    REQUIRE(file.good());
    CHECK(unseen == 0);
    CHECK(store.load(added->path).has_value());
}

TEST_CASE("a snapshot that is cut short or grown at any byte is found", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    const std::string good = read(added->path);
    std::size_t unseen = 0;
    for (std::size_t bytes = good.size(); bytes-- > 0;) {
        fs::resize_file(added->path, bytes);
        auto loaded = store.load(added->path);
        unseen += loaded || loaded.error().code != pawl::errc::damaged ? 1 : 0;
    }
    CHECK(unseen == 0);
    write(added->path, good + "x");
    auto grown = store.load(added->path);
    REQUIRE_FALSE(grown);
    CHECK(grown.error().code == pawl::errc::damaged);
    CHECK(grown.error().file == added->path);
}

TEST_CASE("a snapshot of a newer format fails with newer_format", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    std::string newer = read(added->path);
    newer[8] = 2;
    write(added->path, newer);
    auto loaded = store.load(added->path);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == pawl::errc::newer_format);
}

TEST_CASE("neither a pipe nor a link of a snapshot's name is opened", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    const fs::path pipe = store.directory() / "state-v1-00000000000000000009.snap";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const fs::path link = store.directory() / "state-v1-00000000000000000008.snap";
    fs::create_symlink(added->path, link);
    auto list = store.list();
    REQUIRE(list);
    CHECK(list->snapshots.size() == 1);
    CHECK(list->rejected.size() == 2);
    CHECK_FALSE(store.load(pipe));
    CHECK_FALSE(store.load(link));
}

TEST_CASE("a snapshot set aside is no longer listed, and only a few of them are kept", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    for (std::uint64_t next = 1; next <= 5; ++next) {
        auto added = add(store, next);
        REQUIRE(added);
        REQUIRE(store.set_aside(added->path));
    }
    CHECK(sequences(store).empty());
    CHECK(files_in(store.directory()) ==
          std::vector<std::string>{"state-v1-00000000000000000004.snap.rejected",
                                   "state-v1-00000000000000000005.snap.rejected"});
}

TEST_CASE("a new snapshot has the requested permissions", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path());
    auto added = add(store, 1);
    REQUIRE(added);
    CHECK(fs::status(added->path).permissions() == fs::perms{0600});
    CHECK(fs::status(store.directory()).permissions() == fs::perms{0700});
}

TEST_CASE("a directory that cannot be created is an error of the system", "[replay]") {
    pawl::test::temporary_directory directory;
    auto store = open(directory.path() / "no" / "journal");
    auto added = add(store, 1);
    REQUIRE_FALSE(added);
    CHECK(added.error().code == pawl::errc::not_found);
    CHECK(added.error().os_error == ENOENT);
}

TEST_CASE("options out of range are refused", "[replay]") {
    for (const char* name :
         {"", "Upper", "a-b", "a/b", "..", "a.b", "a_name_of_more_than_32_characters"})
        CHECK_FALSE(pawl::snapshot_store::open("x", some_journal, 1, {.name = name}));
    CHECK_FALSE(pawl::snapshot_store::open("x", some_journal, 1, {.keep = 1}));
    CHECK(pawl::snapshot_store::open("x", some_journal, 1, {.name = "books_2"}));
}
