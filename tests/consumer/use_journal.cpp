#include <pawl/journal/version.hpp>

int main() {
    return pawl::version().empty() ? 1 : 0;
}
