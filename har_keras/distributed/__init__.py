"""Data-parallel training by many processes on Apache Spark; `spark.run` starts it."""
