# EngineStage.cmake - settings shared by every target, and the two words the folders speak:
#   engine_stage(plan SOURCES space.cpp fuse.cpp USES opt)      the static library engine_plan
#   engine_test(plan SOURCES space_test.cpp USES plan)          the program plan_test, known to ctest

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(ENGINE_CCACHE ccache)
if(ENGINE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ENGINE_CCACHE})
endif()

# Says which Debian package is missing instead of CMake's long story.
macro(engine_find_package package debian)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} is missing: apt-get install ${debian}")
  endif()
endmacro()
engine_find_package(fmt libfmt-dev)
# Not its library, which users would need, too; and not its header-only form, which costs seven seconds wherever it is included. What it
# has to be linked to is compiled once, in engine/base/format.cpp and format_functions.cpp.
add_library(engine_fmt INTERFACE)
target_include_directories(engine_fmt SYSTEM INTERFACE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
find_package(Threads REQUIRED)

add_library(engine_settings INTERFACE)
target_compile_features(engine_settings INTERFACE cxx_std_20)
# Bits are part of the contract: no contraction into FMA, no reassociation, anywhere. Masks of lanes are joined by & and |,
# also where a lane is one number and its mask a bool.
target_compile_options(engine_settings INTERFACE -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:Clang>:-Wno-bitwise-instead-of-logical;-Wno-bitwise-conditional-parentheses;-Wno-deprecated-declarations> -fvisibility=hidden)
target_include_directories(engine_settings INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/engine/include)
target_compile_definitions(engine_settings INTERFACE ENGINE_VERSION="${PROJECT_VERSION}")
if(ENGINE_VERIFY)
  target_compile_definitions(engine_settings INTERFACE ENGINE_VERIFY=1)
endif()
if(ENGINE_SANITIZE)
  # -O1 after CMake's own: such a build is compiled once and run for a minute.
  target_compile_options(engine_settings INTERFACE -O1 -fsanitize=${ENGINE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(engine_settings INTERFACE ENGINE_SANITIZED=1)
  if(ENGINE_SANITIZE STREQUAL thread)
    target_compile_definitions(engine_settings INTERFACE ENGINE_SANITIZED_THREADS=1)
  endif()
  # Machine code of our own has no type before its entry for clang to compare.
  target_compile_options(engine_settings INTERFACE $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  target_link_options(engine_settings INTERFACE -fsanitize=${ENGINE_SANITIZE})
endif()

# Counts lines and branches of a target. The loops are left out: they are the catalog's meanings once more for each dtype
# and instruction set, and their conformance tests walk through every one.
function(engine_count target)
  if(ENGINE_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -O1 -fprofile-update=atomic)
    target_link_options(${target} INTERFACE --coverage)
  endif()
endfunction()

function(engine_stage name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(engine_${name} STATIC ${ARG_SOURCES})
  set_target_properties(engine_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  list(TRANSFORM ARG_USES PREPEND engine_)
  target_link_libraries(engine_${name} PUBLIC engine_settings ${ARG_USES} PRIVATE engine_fmt ${ARG_LIBRARIES})
  engine_count(engine_${name})
endfunction()

function(engine_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND engine_)
  target_link_libraries(${name}_test PRIVATE engine_settings ${ARG_USES} engine_fmt GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name}_test)
endfunction()
