// Writes the golden files again: `pawl-make-golden tests/golden/files`. For a deliberate change of
// the format only; what it writes is committed and compared on every run of the tests.
#include "../scenes.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: pawl-make-golden DIRECTORY\n";
        return 2;
    }
    for (const golden::scene& scene : golden::all_scenes()) {
        for (const golden::golden_file& file : scene.files) {
            const auto path = std::filesystem::path{argv[1]} / file.path;
            std::filesystem::create_directories(path.parent_path());
            std::ofstream to{path, std::ios::binary | std::ios::trunc};
            to << golden::committed(file) << std::flush;
            if (!to) {
                std::cerr << "pawl-make-golden: cannot write " << path << '\n';
                return 1;
            }
        }
    }
    return 0;
}
