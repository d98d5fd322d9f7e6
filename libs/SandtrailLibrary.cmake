# One way to declare a library, a program and a test. The order of add_subdirectory() calls is the
# order of layers: a dependency must already be a target, so a cycle cannot be written.

add_library(sandtrail_warnings INTERFACE)
target_compile_options(sandtrail_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual)
if(SANDTRAIL_SANITIZE)
  add_compile_options(-fsanitize=${SANDTRAIL_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SANDTRAIL_SANITIZE})
  # GCC 12 derives false positives from the instrumented code at -O1.
  add_compile_options(-Wno-maybe-uninitialized)
endif()

# A test's own code is compiled far more often than it costs time to run.
add_library(sandtrail_test_options INTERFACE)
target_compile_options(sandtrail_test_options INTERFACE $<$<CONFIG:Release>:-O0>)
target_link_libraries(sandtrail_test_options INTERFACE sandtrail_warnings)

# The standard headers that many files use are parsed once: 0.82 of the processor's time for a file
# (median of three rounds, seven files compiled both ways in turn). A file still includes what it
# uses: a preset without SANDTRAIL_PCH holds it to that.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty.cc CONTENT "")
function(_sandtrail_precompile name options)
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/empty.cc)
  target_link_libraries(${name} PRIVATE ${options})
  target_precompile_headers(${name} PRIVATE
    <algorithm> <atomic> <chrono> <functional> <map> <memory> <mutex> <optional> <set> <string>
    <string_view> <thread> <variant> <vector> ${ARGN})
endfunction()
if(SANDTRAIL_PCH)
  _sandtrail_precompile(sandtrail_pch sandtrail_warnings)
  _sandtrail_precompile(sandtrail_test_pch sandtrail_test_options <doctest/doctest.h>)
  # GCC 12 forgets that a precompiled header is the system's, and warns of std::string itself.
  target_compile_options(sandtrail_warnings INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()

function(_sandtrail_use_precompiled target pch)
  if(TARGET ${pch})
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

function(_sandtrail_require_targets owner)
  foreach(dep IN LISTS ARGN)
    if(NOT TARGET ${dep})
      message(FATAL_ERROR "${owner}: dependency '${dep}' is not declared yet; "
        "a library may only use libraries of lower layers (see libs/CMakeLists.txt)")
    endif()
  endforeach()
endfunction()

# Sets <prefix>_<KEYWORD> for each keyword; "flags" and "lists" are those the caller knows.
function(_sandtrail_parse prefix owner flags lists)
  cmake_parse_arguments(ARG "${flags}" "" "${lists}" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${owner}: unknown argument '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  _sandtrail_require_targets(${owner} ${ARG_DEPS} ${ARG_PRIVATE_DEPS})
  foreach(key IN LISTS flags lists)
    set(${prefix}_${key} "${ARG_${key}}" PARENT_SCOPE)
  endforeach()
endfunction()

# sandtrail_library(NAME HEADERS h… [SOURCES cc…] [DEPS t…] [PRIVATE_DEPS t…])
# Public headers live in include/<NAME>/, and only they are visible to others.
function(sandtrail_library name)
  _sandtrail_parse(L ${name} "" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(L_SOURCES)
    add_library(${name} STATIC ${L_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${name} PRIVATE sandtrail_warnings ${L_PRIVATE_DEPS})
    _sandtrail_use_precompiled(${name} sandtrail_pch)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS include FILES ${L_HEADERS})
  target_link_libraries(${name} ${scope} ${L_DEPS})
  add_library(sandtrail::${name} ALIAS ${name})
endfunction()

# sandtrail_program(NAME SOURCES cc… [DEPS t…]): an executable in bin/.
function(sandtrail_program name)
  _sandtrail_parse(P ${name} "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  target_link_libraries(${name} PRIVATE sandtrail_warnings ${P_DEPS})
  _sandtrail_use_precompiled(${name} sandtrail_pch)
endfunction()

# sandtrail_test(NAME SOURCES cc… [DEPS t…] [LABELS l…] [SERIAL])
# A doctest binary known to ctest as NAME. SERIAL: never beside another test. Labels with a meaning:
#   tsan   also runs under ThreadSanitizer (scripts/test --sanitizers)
#   slow   left out by scripts/test --fast
#   kafka  needs the broker that scripts/test starts; one at a time, as some make it hang
# The target "all" builds what users run, "tests" the tests, tests_<label> those of a label.
add_custom_target(tests)
function(sandtrail_test name)
  _sandtrail_parse(T ${name} "SERIAL" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${T_SOURCES})
  add_dependencies(tests ${name})
  target_link_libraries(${name} PRIVATE sandtrail_test_options doctest_main ${T_DEPS})
  _sandtrail_use_precompiled(${name} sandtrail_test_pch)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}")
  if(T_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
  if("kafka" IN_LIST T_LABELS)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK kafka)
  endif()
  foreach(label IN LISTS T_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()
endfunction()

add_custom_target(benches)
# sandtrail_bench(NAME SOURCES cc… [DEPS t…]): a measuring program in bench/, run by scripts/bench
# through test/bench/run.py, which says what it must print.
function(sandtrail_bench name)
  _sandtrail_parse(B ${name} "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${B_SOURCES})
  add_dependencies(benches ${name})
  target_link_libraries(${name} PRIVATE sandtrail_warnings ${B_DEPS})
  _sandtrail_use_precompiled(${name} sandtrail_pch)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()
