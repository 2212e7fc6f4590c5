"""The domain and the clients of the land-cover pipeline, shared by every function.

Pure rules (no cloud client is imported): ``classes``, ``scenes``, ``grids``, ``planning``, ``observations``,
``aoi_geometry``, ``registration``, ``messages``, ``errors``, ``settings``.
Clients, one module each: ``earth_engine``, ``warehouse``, ``publishing``, ``webhook``.
"""
