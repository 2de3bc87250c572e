# Highway.cmake - where the headers of Highway are (ENGINE_HIGHWAY_INCLUDE), as options for the compiler (ENGINE_HIGHWAY_OPTIONS).
# Its library is not needed.
if(NOT ENGINE_HIGHWAY_INCLUDE)
  find_path(ENGINE_HIGHWAY_INCLUDE hwy/contrib/sort/vqsort-inl.h NO_CACHE)
  if(NOT ENGINE_HIGHWAY_INCLUDE)
    message(FATAL_ERROR "Highway is missing: apt-get install libhwy-dev, or give -DENGINE_HIGHWAY_INCLUDE=<folder that holds hwy/>")
  endif()
endif()
set(ENGINE_HIGHWAY_OPTIONS "")
if(NOT ENGINE_HIGHWAY_INCLUDE MATCHES "^/usr/include/?$")  # which has its own place in the order of folders
  set(ENGINE_HIGHWAY_OPTIONS "-isystem;${ENGINE_HIGHWAY_INCLUDE}")
endif()
