# Link the Python package, launch and config into the prefix. Rooms are linked whole, not file by
# file, so that a new file is there without a new install.
# Expects `source_dir` and, below the prefix, `python_dir` and `share_dir`.

function(link_all from to)
  file(GLOB links LIST_DIRECTORIES true "${to}/*")
  foreach(link IN LISTS links)
    if(IS_SYMLINK "${link}" AND NOT EXISTS "${link}")
      file(REMOVE "${link}")
    endif()
  endforeach()
  file(MAKE_DIRECTORY "${to}")
  foreach(name IN LISTS ARGN)
    if(NOT IS_SYMLINK "${to}/${name}")
      file(REMOVE_RECURSE "${to}/${name}")
    endif()
    file(CREATE_LINK "${from}/${name}" "${to}/${name}" SYMBOLIC)
  endforeach()
endfunction()

file(GLOB names RELATIVE "${source_dir}/utt_ros"
  "${source_dir}/utt_ros/*.py" "${source_dir}/utt_ros/py.typed" "${source_dir}/utt_ros/*/__init__.py")
list(TRANSFORM names REPLACE "/__init__\\.py$" "")
link_all("${source_dir}/utt_ros" "${CMAKE_INSTALL_PREFIX}/${python_dir}/utt_ros" ${names})
# `ros2 launch` looks for launch files without following links to folders.
foreach(folder launch config)
  set(to "${CMAKE_INSTALL_PREFIX}/${share_dir}/${folder}")
  if(IS_SYMLINK "${to}")
    file(REMOVE "${to}")
  endif()
  file(GLOB names RELATIVE "${source_dir}/${folder}" "${source_dir}/${folder}/*.*")
  link_all("${source_dir}/${folder}" "${to}" ${names})
endforeach()
