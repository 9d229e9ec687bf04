"""Is a keypoint order anatomically possible?"""
