# What the copy with planted bugs needs beside the sources: the header with planted() in every file,
# that of the tests too, which include private headers, and the function in the journal.
set(seams -include "${CMAKE_CURRENT_LIST_DIR}/planted.hpp" -I "${PAWL_PARTS_DIR}/planted"
          # A seam stands in front of a statement as it is, indented or not.
          -Wno-dangling-else -Wno-misleading-indentation)
target_sources(pawl_journal PRIVATE "${CMAKE_CURRENT_LIST_DIR}/planted.cpp")
target_compile_options(pawl_os PRIVATE ${seams})
target_compile_options(pawl_journal PUBLIC "$<BUILD_INTERFACE:${seams}>")
