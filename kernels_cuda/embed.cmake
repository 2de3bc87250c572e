# embed.cmake - the files that kernels are made from, as one C++ source: cmake -DOUTPUT=… -DROOT=… -DFILES=a,b -P embed.cmake
string(REPLACE "," ";" files "${FILES}")
set(text "// Written by kernels_cuda/embed.cmake.\n#include \"kernels_cuda/prelude.hpp\"\n\nnamespace engine::cuda {\n\nconst std::string_view kDeviceFiles[] = {\n")
foreach(file ${files})
  file(READ ${ROOT}/${file} content)
  string(APPEND text "R\"engine_source(${content})engine_source\",\n")
endforeach()
string(APPEND text "};\nconst std::size_t kDeviceFileCount = sizeof kDeviceFiles / sizeof *kDeviceFiles;\n\n}  // namespace engine::cuda\n")
file(WRITE ${OUTPUT} "${text}")
