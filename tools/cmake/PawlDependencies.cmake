# All of Pawl's dependencies. A package that is not installed is fetched, except for xxHash and the
# benchmark's peers, which must be installed.
include(FetchContent)
set(FETCHCONTENT_TRY_FIND_PACKAGE_MODE OPT_IN)
set(THREADS_PREFER_PTHREAD_FLAG ON)
# The libraries' dependencies are GLOBAL, because a project that adds Pawl as a subdirectory must
# see them too.
find_package(Threads REQUIRED GLOBAL)
find_package(PkgConfig REQUIRED)
# Optional to the libraries: without it there is no pawl::sqlite.
find_package(SQLite3 3.38 QUIET GLOBAL)

# xxHash is compiled into the journal, so a program that links Pawl needs no libxxhash.
pkg_check_modules(PAWL_XXHASH REQUIRED libxxhash>=0.8)
add_library(pawl_xxhash INTERFACE)
target_include_directories(pawl_xxhash SYSTEM INTERFACE ${PAWL_XXHASH_INCLUDE_DIRS})
target_compile_definitions(pawl_xxhash INTERFACE "XXH_INLINE_ALL=")

FetchContent_Declare(
    Boost
    GIT_REPOSITORY https://github.com/boostorg/boost.git
    GIT_TAG boost-1.84.0
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 1.74 GLOBAL)
FetchContent_Declare(
    FlatBuffers
    GIT_REPOSITORY https://github.com/google/flatbuffers.git
    GIT_TAG v2.0.8
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS CONFIG GLOBAL)
FetchContent_Declare(
    fmt
    GIT_REPOSITORY https://github.com/fmtlib/fmt.git
    GIT_TAG 9.1.0
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 9)
FetchContent_Declare(
    CLI11
    GIT_REPOSITORY https://github.com/CLIUtils/CLI11.git
    GIT_TAG v2.1.2
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 2)
FetchContent_Declare(
    nlohmann_json
    GIT_REPOSITORY https://github.com/nlohmann/json.git
    GIT_TAG v3.11.2
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 3)
FetchContent_Declare(
    httplib
    GIT_REPOSITORY https://github.com/yhirose/cpp-httplib.git
    GIT_TAG v0.11.4
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 0.11)
FetchContent_Declare(
    Catch2
    GIT_REPOSITORY https://github.com/catchorg/Catch2.git
    GIT_TAG v2.13.10
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 2)
FetchContent_Declare(
    benchmark
    GIT_REPOSITORY https://github.com/google/benchmark.git
    GIT_TAG v1.7.1
    GIT_SHALLOW ON
    FIND_PACKAGE_ARGS 1.7)

# Makes the named packages available, without their own tests. A fetched package is installed with
# Pawl if an installed Pawl needs it, and our warnings do not apply to its headers.
macro(pawl_require)
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
    set(BOOST_INCLUDE_LIBRARIES interprocess lockfree)
    set(FLATBUFFERS_BUILD_TESTS OFF)
    set(FLATBUFFERS_INSTALL ${PAWL_INSTALL})
    set(BENCHMARK_ENABLE_TESTING OFF)
    FetchContent_MakeAvailable(${ARGN})
    pawl_system_includes(flatbuffers fmt CLI11 Catch2 benchmark httplib)
endmacro()

function(pawl_system_includes)
    foreach(target IN LISTS ARGN)
        if(TARGET ${target})
            get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
            set_target_properties(
                ${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${directories}")
        endif()
    endforeach()
endfunction()

pawl_require(Boost FlatBuffers)
if(NOT TARGET Boost::headers)
    add_library(pawl_boost INTERFACE)
    target_link_libraries(pawl_boost INTERFACE Boost::interprocess Boost::lockfree)
    add_library(Boost::headers ALIAS pawl_boost)
endif()
# Debian's archive is not position independent: a shared codec links the shared library.
if(BUILD_SHARED_LIBS AND TARGET flatbuffers::flatbuffers_shared)
    set(PAWL_FLATBUFFERS flatbuffers::flatbuffers_shared)
elseif(TARGET flatbuffers::flatbuffers)
    set(PAWL_FLATBUFFERS flatbuffers::flatbuffers)
else()
    set(PAWL_FLATBUFFERS flatbuffers)
endif()
