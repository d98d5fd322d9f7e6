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

function(_sandtrail_require_targets owner)
  foreach(dep IN LISTS ARGN)
    if(NOT TARGET ${dep})
      message(FATAL_ERROR "${owner}: dependency '${dep}' is not declared yet; "
        "a library may only use libraries of lower layers (see libs/CMakeLists.txt)")
    endif()
  endforeach()
endfunction()

function(_sandtrail_parse prefix owner)
  cmake_parse_arguments(ARG "" "" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${owner}: unknown argument '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  _sandtrail_require_targets(${owner} ${ARG_DEPS} ${ARG_PRIVATE_DEPS})
  foreach(key HEADERS SOURCES DEPS PRIVATE_DEPS)
    set(${prefix}_${key} "${ARG_${key}}" PARENT_SCOPE)
  endforeach()
endfunction()

# sandtrail_library(NAME HEADERS h… [SOURCES cc…] [DEPS t…] [PRIVATE_DEPS t…])
# Public headers live in include/<NAME>/, and only they are visible to others.
function(sandtrail_library name)
  _sandtrail_parse(L ${name} ${ARGN})
  if(L_SOURCES)
    add_library(${name} STATIC ${L_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${name} PRIVATE sandtrail_warnings ${L_PRIVATE_DEPS})
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS include FILES ${L_HEADERS})
  target_link_libraries(${name} ${scope} ${L_DEPS})
  add_library(sandtrail::${name} ALIAS ${name})
endfunction()

# sandtrail_program(NAME SOURCES cc… [DEPS t…])
function(sandtrail_program name)
  _sandtrail_parse(P ${name} ${ARGN})
  add_executable(${name} ${P_SOURCES})
  target_link_libraries(${name} PRIVATE sandtrail_warnings ${P_DEPS} ${P_PRIVATE_DEPS})
endfunction()

# sandtrail_test(NAME SOURCES cc… DEPS t…): a doctest binary known to ctest as NAME.
function(sandtrail_test name)
  _sandtrail_parse(T ${name} ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE sandtrail_warnings doctest_main ${T_DEPS} ${T_PRIVATE_DEPS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
