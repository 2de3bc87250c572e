# Cccl.cmake - where the headers of Thrust are (ENGINE_CCCL_INCLUDE): in the Python package nvidia-cuda-cccl, or in a CUDA Toolkit.
# Thrust's host system is used, so no CUDA is needed to compile or to run it.
if(NOT ENGINE_CCCL_INCLUDE)
  set(wheels)
  if(Python_EXECUTABLE)
    execute_process(COMMAND ${Python_EXECUTABLE} -c "import nvidia; print(*nvidia.__path__, sep=';')"
                    OUTPUT_VARIABLE packages OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    foreach(package ${packages})
      file(GLOB found ${package}/cu*/include/cccl ${package}/cuda_cccl/include)
      list(APPEND wheels ${found})
    endforeach()
  endif()
  find_path(ENGINE_CCCL_INCLUDE thrust/merge.h PATHS ${wheels} NO_CACHE NO_DEFAULT_PATH)
  find_path(ENGINE_CCCL_INCLUDE thrust/merge.h PATHS /usr/local/cuda/include/cccl /usr/local/cuda/include NO_CACHE)
  if(NOT ENGINE_CCCL_INCLUDE)
    message(FATAL_ERROR "Thrust is missing: pip install nvidia-cuda-cccl, or give -DENGINE_CCCL_INCLUDE=<folder that holds thrust/>")
  endif()
endif()
